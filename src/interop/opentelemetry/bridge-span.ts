import {
  type Attributes,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
  type TraceState,
} from '@opentelemetry/api'
import { Level } from '../../model/level.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import { MAX_MESSAGE_CHARS } from '../../tracing/log-stream.ts'
import { eventPropertySet, type Properties } from '../../tracing/property-set.ts'
import { recordLog } from '../../tracing/record-log.ts'
import { renderValue } from '../../tracing/render-value.ts'
import type { OpenAsyncSpan } from '../../tracing/span-stream.ts'
import { spanIdOf, traceIdOf } from './w3c-ids.ts'

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
 */
export abstract class MicromegasSpan implements Span {
  readonly open: OpenAsyncSpan
  readonly remote: RemoteTrace | undefined
  readonly target: string
  #context: SpanContext | undefined

  constructor(open: OpenAsyncSpan, remote: RemoteTrace | undefined, target: string) {
    this.open = open
    this.remote = remote
    this.target = target
  }

  spanContext(): SpanContext {
    if (this.#context === undefined) {
      const { remote, open } = this
      this.#context = {
        traceId: remote?.traceId ?? traceIdOf(open),
        spanId: spanIdOf(open.spanId),
        // The sampling of whoever began the trace is handed on; here every span is recorded.
        traceFlags: remote?.traceFlags ?? TraceFlags.SAMPLED,
      }
      if (remote?.traceState !== undefined) this.#context.traceState = remote.traceState
    }
    return this.#context
  }

  abstract isRecording(): boolean
  abstract setAttributes(attributes: Attributes): this
  abstract setStatus(status: SpanStatus): this
  abstract updateName(name: string): this
  abstract end(): void
  abstract addLinks(links: Link[]): this
  /** What the events of the span are tagged with besides its ids. */
  protected abstract get attributes(): Properties

  setAttribute(key: string, value: Attributes[string]): this {
    return this.setAttributes({ [key]: value })
  }

  addLink(link: Link): this {
    return this.addLinks([link])
  }

  /** A debug log event: the name is the message, attributes are properties. A time of the caller's is left out. */
  addEvent(name: string, attributesOrTime?: unknown): this {
    if (this.isRecording()) {
      const isTime =
        typeof attributesOrTime !== 'object' ||
        Array.isArray(attributesOrTime) ||
        attributesOrTime instanceof Date
      this.log(Level.Debug, name, isTime ? {} : (attributesOrTime as Properties))
    }
    return this
  }

  /** An error log event with the stack. */
  recordException(exception: Exception): void {
    if (!this.isRecording()) return
    try {
      const properties = { ...this.attributes, 'exception.type': exceptionType(exception) }
      this.log(Level.Error, exceptionText(exception), properties)
    } catch {
      // An exception whose getters throw: it costs its event, not the host.
      dispatch.log.countInvalid()
    }
  }

  protected log(level: Level, message: string, properties: Properties): void {
    if (level > dispatch.filters.interopMaxLevelOf(this.target)) return
    const ids = spanProperties(this.spanContext(), this.open)
    recordLog(level, this.target, message, eventPropertySet({ ...properties, ...ids }))
  }
}

/** What a tracer needs to know of a span it begins. */
export interface BridgeSpanInit {
  readonly open: OpenAsyncSpan
  readonly remote: RemoteTrace | undefined
  readonly target: string
  readonly name: string
  readonly kind: string
  /** Id of a parent in another process. */
  readonly remoteParentId: string | undefined
  readonly attributes: Attributes | undefined
  readonly links: readonly Link[] | undefined
}

/** A span begun and ended through OpenTelemetry's API. */
export class BridgeSpan extends MicromegasSpan {
  readonly #kind: string
  readonly #remoteParentId: string | undefined
  #name: string
  #attributes: Attributes | undefined
  #links: readonly Link[]
  #status: SpanStatus | undefined
  #hasException = false
  #ended = false

  constructor(init: BridgeSpanInit) {
    super(init.open, init.remote, init.target)
    this.#name = init.name
    this.#kind = init.kind
    this.#remoteParentId = init.remoteParentId
    this.#attributes = init.attributes === undefined ? undefined : { ...init.attributes }
    this.#links = Array.isArray(init.links) ? init.links : []
  }

  override isRecording(): boolean {
    return !this.#ended
  }

  override setAttribute(key: string, value: Attributes[string]): this {
    if (!this.#ended) {
      this.#attributes ??= {}
      this.#attributes[key] = value
    }
    return this
  }

  override setAttributes(attributes: Attributes): this {
    if (!this.#ended) this.#attributes = Object.assign(this.#attributes ?? {}, attributes)
    return this
  }

  override addLinks(links: Link[]): this {
    if (!this.#ended && Array.isArray(links)) this.#links = [...this.#links, ...links]
    return this
  }

  /** As the specification has it: OK is final, and UNSET never replaces another. */
  override setStatus(status: SpanStatus): this {
    const isFinal = this.#status?.code === SpanStatusCode.OK || status?.code === SpanStatusCode.UNSET
    if (!this.#ended && !isFinal) this.#status = status
    return this
  }

  /** The name of the recorded span stays that of its begin; its log events have the new one. */
  override updateName(name: string): this {
    if (!this.#ended) this.#name = name
    return this
  }

  override recordException(exception: Exception): void {
    this.#hasException = true
    super.recordException(exception)
  }

  /** Ends the span now: a time of the caller's is left out. */
  override end(): void {
    if (this.#ended) return
    const status = this.#status
    if (status?.code === SpanStatusCode.ERROR && !this.#hasException) {
      const reason = status.message === undefined || status.message === '' ? 'failed' : status.message
      this.log(Level.Warn, `${this.#name}: ${reason}`, this.attributes)
    }
    if (dispatch.filters.interopMaxLevelOf(this.target) >= Level.Trace) {
      this.log(Level.Trace, this.#name, { ...this.attributes, ...this.#description() })
    }
    this.#ended = true
    dispatch.cpu.endAsyncSpan(this.open)
  }

  protected override get attributes(): Properties {
    return this.#attributes ?? {}
  }

  #description(): Properties {
    const links = this.#links.map((link) => `${link?.context?.traceId}-${link?.context?.spanId}`)
    const { parentSpanId } = this.open
    return {
      'span.kind': this.#kind,
      parent_span_id: parentSpanId === 0 ? this.#remoteParentId : spanIdOf(parentSpanId),
      'span.links': links.length === 0 ? undefined : links.join(' '),
    }
  }
}

/** The view that OpenTelemetry's API has of a span of our own, begun by `asyncSpan` and its like, which also end it. */
export class NativeSpan extends MicromegasSpan {
  override isRecording(): boolean {
    return true
  }

  /** Nothing takes them: our spans have no attributes. */
  override setAttributes(): this {
    return this
  }

  override addLinks(): this {
    return this
  }

  override setStatus(status: SpanStatus): this {
    if (status?.code === SpanStatusCode.ERROR) {
      this.log(Level.Warn, `${this.open.record.name}: ${status.message ?? 'failed'}`, {})
    }
    return this
  }

  override updateName(): this {
    return this
  }

  override end(): void {}

  protected override get attributes(): Properties {
    return {}
  }
}

function exceptionText(exception: Exception): string {
  if (typeof exception === 'string' || exception instanceof Error) {
    return renderValue(exception, MAX_MESSAGE_CHARS)
  }
  const { name, message, stack } = exception ?? {}
  return stack ?? [name, message].filter((part) => part !== undefined).join(': ')
}

function exceptionType(exception: Exception): unknown {
  return typeof exception === 'object' && exception !== null ? (exception.name ?? exception.code) : undefined
}
