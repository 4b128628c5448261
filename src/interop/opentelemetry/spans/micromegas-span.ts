import {
  type Attributes,
  diag,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  type SpanStatus,
  TraceFlags,
  type TraceState,
} from '@opentelemetry/api'
import { Level } from '../../../model/level.ts'
import { dispatch } from '../../../tracing/dispatch.ts'
import { recordLog } from '../../../tracing/logs/record-log.ts'
import { spanIdOf, traceIdOf } from '../../../tracing/spans/trace-ids.ts'
import type { OpenAsyncSpan } from '../../../tracing/streams/span-stream.ts'
import { eventPropertySet, type Properties } from '../../../tracing/values/property-set.ts'
import { renderValue } from '../../../tracing/values/render-value.ts'
import { validAttributes } from '../attributes.ts'
import { describeException, type ExceptionDescription } from './exceptions.ts'

/** The trace of another process that spans of this one go on with. */
export interface RemoteTrace {
  readonly traceId: string
  readonly traceFlags: number
  readonly traceState: TraceState | undefined
}

/** Properties by which a log event names its span. */
export function spanProperties(context: SpanContext, open: OpenAsyncSpan | undefined): Properties {
  const ids = { trace_id: context.traceId, span_id: context.spanId }
  return open === undefined ? ids : { ...ids, async_span_id: open.spanId }
}

/**
 * An async span of ours as OpenTelemetry's API sees it. Async spans have a name and two times; what else the API tells of
 * a span becomes log events that name the span by their properties.
 *
 * Its fields are plain ones, as those of all that the bridge hands out: libraries wrap spans, tracers and instruments in
 * proxies, upon which a method finds no `#private` field.
 */
export abstract class MicromegasSpan implements Span {
  readonly open: OpenAsyncSpan
  readonly remote: RemoteTrace | undefined
  readonly target: string
  private context: SpanContext | undefined

  constructor(open: OpenAsyncSpan, remote: RemoteTrace | undefined, target: string) {
    this.open = open
    this.remote = remote
    this.target = target
    this.context = undefined
  }

  spanContext(): SpanContext {
    if (this.context === undefined) {
      const { remote, open } = this
      this.context = {
        traceId: remote?.traceId ?? traceIdOf(open),
        spanId: spanIdOf(open.spanId),
        // The sampling of whoever began the trace is handed on; here every span is recorded.
        traceFlags: remote?.traceFlags ?? TraceFlags.SAMPLED,
      }
      if (remote?.traceState !== undefined) this.context.traceState = remote.traceState
    }
    return this.context
  }

  abstract isRecording(): boolean
  abstract setAttribute(key: string, value: Attributes[string]): this
  abstract setAttributes(attributes: Attributes): this
  abstract setStatus(status: SpanStatus): this
  abstract updateName(name: string): this
  abstract end(): void
  abstract addLinks(links: Link[]): this
  /** What the events of the span are tagged with besides its ids. */
  protected abstract attributesForEvents(): Properties
  /** Whether the span takes what is told of it; an ended one does not, and says so to the API's diagnostics. */
  protected abstract takes(what: string): boolean

  addLink(link: Link): this {
    return this.addLinks([link])
  }

  /** A debug log event: the name is the message, attributes are properties. A time of the caller's is left out. */
  addEvent(name: string, attributesOrTime?: unknown): this {
    if (this.takes('addEvent')) {
      const attributes = isTime(attributesOrTime) ? undefined : attributesOrTime
      this.log(Level.Debug, name, validAttributes(attributes, true))
    }
    return this
  }

  /** An error log event with the stack. What is no exception by OpenTelemetry's rules is told to its diagnostics. */
  recordException(exception: Exception): void {
    if (!this.takes('recordException')) return
    countUnreadable(() => {
      const description = describeException(exception)
      if (description === undefined) {
        diag.warn(`micromegas: this is not an exception and is not recorded: ${renderValue(exception, 200)}`)
        return
      }
      this.onException(description)
      this.log(Level.Error, description.text, {
        ...this.attributesForEvents(),
        'exception.type': description.type,
      })
    })
  }

  protected onException(_: ExceptionDescription): void {}

  protected log(level: Level, message: string, properties: Properties): void {
    if (level > dispatch.filters.interopMaxLevelOf(this.target)) return
    const ids = spanProperties(this.spanContext(), this.open)
    // The ids come first, so that they are there however many properties there are, and nothing replaces them.
    recordLog(level, this.target, message, eventPropertySet({ ...ids, ...properties, ...ids }))
  }
}

function isTime(value: unknown): boolean {
  return typeof value !== 'object' || Array.isArray(value) || value instanceof Date
}

/** Reads what a caller gave. Where a getter of it throws, that costs its event, which is counted, and not the host. */
export function countUnreadable(read: () => void): void {
  try {
    read()
  } catch {
    dispatch.log.countInvalid()
  }
}

/** The message of a status of error; one that is not a text is told to the API's diagnostics. */
export function statusMessageOf(message: unknown): string {
  if (typeof message === 'string') return message
  if (message !== undefined && message !== null) {
    diag.warn(`micromegas: the message of a status is dropped: it is of type ${typeof message}, not a string`)
  }
  return ''
}
