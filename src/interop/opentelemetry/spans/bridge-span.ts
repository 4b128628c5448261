import {
  type Attributes,
  diag,
  type Link,
  type SpanContext,
  type SpanStatus,
  SpanStatusCode,
} from '@opentelemetry/api'
import { Level } from '../../../model/level.ts'
import { dispatch } from '../../../tracing/dispatch.ts'
import { toName } from '../../../tracing/metric.ts'
import type { LateSpan } from '../../../tracing/spans/open-span.ts'
import { spanIdOf } from '../../../tracing/spans/trace-ids.ts'
import type { Properties } from '../../../tracing/values/property-set.ts'
import { KeptAttributes, validAttributes } from '../attributes.ts'
import type { ExceptionDescription } from './exceptions.ts'
import { countUnreadable, MicromegasSpan, type RemoteTrace, statusMessageOf } from './micromegas-span.ts'

/** Links of a span; the oldest give way, as in OpenTelemetry's SDK. */
const MAX_LINKS = 128

/** What a tracer needs to know of a span it begins. */
export interface BridgeSpanInit {
  readonly open: LateSpan
  readonly remote: RemoteTrace | undefined
  readonly target: string
  readonly name: string
  readonly kind: string
  /** Id of a parent in another process. */
  readonly remoteParentId: string | undefined
  readonly attributes: Attributes | undefined
  readonly links: readonly Link[] | undefined
}

interface KeptLink {
  readonly context: SpanContext | undefined
  readonly attributes: Properties
}

/** A span begun and ended through OpenTelemetry's API. */
export class BridgeSpan extends MicromegasSpan {
  private readonly late: LateSpan
  private readonly kind: string
  private readonly remoteParentId: string | undefined
  private name: string
  private attributes: KeptAttributes | undefined
  private links: KeptLink[] | undefined
  private statusCode: SpanStatusCode = SpanStatusCode.UNSET
  private statusMessage = ''
  private exceptionMessage: string | undefined = undefined
  private ended = false

  constructor(init: BridgeSpanInit) {
    super(init.open, init.remote, init.target)
    this.late = init.open
    this.name = init.name
    this.kind = init.kind
    this.remoteParentId = init.remoteParentId
    this.attributes = undefined
    this.links = undefined
    if (init.attributes !== undefined && init.attributes !== null) this.setAttributes(init.attributes)
    if (init.links !== undefined) this.addLinks(init.links)
  }

  override isRecording(): boolean {
    return !this.ended
  }

  override setAttribute(key: string, value: Attributes[string]): this {
    if (!this.takes('setAttribute')) return this
    this.attributes ??= new KeptAttributes(false)
    this.attributes.set(key, value)
    return this
  }

  override setAttributes(attributes: Attributes): this {
    if (!this.takes('setAttributes')) return this
    this.attributes ??= new KeptAttributes(false)
    this.attributes.setAll(attributes)
    return this
  }

  override addLinks(links: readonly Link[]): this {
    if (!Array.isArray(links) || !this.takes('addLinks')) return this
    this.links ??= []
    const kept = this.links
    for (const link of links as readonly (Link | undefined)[]) {
      if (typeof link !== 'object' || link === null) continue
      countUnreadable(() => {
        kept.push({ context: link.context, attributes: validAttributes(link.attributes, false) })
      })
    }
    if (kept.length > MAX_LINKS) {
      kept.splice(0, kept.length - MAX_LINKS)
      diag.warn(`micromegas: the span ${this.name} has more than ${MAX_LINKS} links, the oldest are dropped`)
    }
    return this
  }

  /** As the specification has it: OK is final, UNSET never replaces another, and only an error has a message. */
  override setStatus(status: SpanStatus): this {
    if (!this.takes('setStatus') || this.statusCode === SpanStatusCode.OK) return this
    countUnreadable(() => {
      const { code, message } = status ?? {}
      if (code !== SpanStatusCode.OK && code !== SpanStatusCode.ERROR) return
      this.statusCode = code
      this.statusMessage = code === SpanStatusCode.ERROR ? statusMessageOf(message) : ''
    })
    return this
  }

  override updateName(name: string): this {
    if (this.takes('updateName')) {
      this.name = toName(name)
      this.late.rename(name)
    }
    return this
  }

  /** Ends the span now: a time of the caller's is left out. */
  override end(): void {
    if (!this.takes('end')) return
    if (this.statusCode === SpanStatusCode.ERROR && !this.isToldByException()) {
      const reason = this.statusMessage === '' ? 'failed' : this.statusMessage
      this.log(Level.Warn, `${this.name}: ${reason}`, this.attributesForEvents())
    }
    if (!dispatch.cpu.tagsEnds && dispatch.filters.interopMaxLevelOf(this.target) >= Level.Trace) {
      const description = this.description()
      // First, so that it is there however many attributes there are; and last, so that none of them replaces it.
      this.log(Level.Trace, this.name, { ...description, ...this.attributesForEvents(), ...description })
    }
    this.ended = true
    if (dispatch.cpu.tagsEnds) this.tag()
    this.late.end()
  }

  protected override attributesForEvents(): Properties {
    return this.attributes?.properties ?? {}
  }

  protected override takes(what: string): boolean {
    if (!this.ended) return true
    diag.warn(`micromegas: ${what} is called on the span ${this.name}, which has ended`)
    return false
  }

  protected override onException({ message }: ExceptionDescription): void {
    this.exceptionMessage = message
  }

  /** Whether an exception was recorded that says what the status says. */
  private isToldByException(): boolean {
    return this.exceptionMessage?.includes(this.statusMessage) ?? false
  }

  /** Names of status and exception are those of the semantic conventions. */
  private tag(): void {
    const ids = { trace_id: this.spanContext().traceId, span_id: this.spanContext().spanId }
    const description = { ...ids, ...this.description() }
    const isError = this.statusCode === SpanStatusCode.ERROR
    // First, so that they are there however many attributes there are; and last, so that none of them replaces them.
    this.late.set({
      ...description,
      ...this.attributesForEvents(),
      ...description,
      ...(isError ? { 'otel.status_code': 'ERROR', 'otel.status_description': this.statusMessage } : {}),
      ...(this.exceptionMessage === undefined ? {} : { 'exception.message': this.exceptionMessage }),
    })
  }

  private description(): Properties {
    const links = this.links ?? []
    const { parentSpanId } = this.open
    return {
      'span.kind': this.kind,
      'span.status': this.statusCode === SpanStatusCode.UNSET ? undefined : SpanStatusCode[this.statusCode],
      'span.status_message': this.statusMessage === '' ? undefined : this.statusMessage,
      parent_span_id: parentSpanId === 0 ? this.remoteParentId : spanIdOf(parentSpanId),
      'span.links': links.length === 0 ? undefined : links.map(idsOf).join(' '),
      'span.link_attributes': links.some(hasAttributes) ? JSON.stringify(links.map(attributesOf)) : undefined,
    }
  }
}

function idsOf({ context }: KeptLink): string {
  return `${context?.traceId}-${context?.spanId}`
}

function attributesOf({ attributes }: KeptLink): Properties {
  return attributes
}

function hasAttributes({ attributes }: KeptLink): boolean {
  return Object.keys(attributes).length > 0
}
