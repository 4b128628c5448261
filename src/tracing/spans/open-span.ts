import { isError } from '../../model/kinds.ts'
import { dispatch } from '../dispatch.ts'
import { MAX_ERROR_CHARS, MAX_PROPERTIES } from '../limits.ts'
import { toName } from '../metric.ts'
import type { LateAsyncSpan } from '../streams/late-span-stream.ts'
import type { OpenAsyncSpan, RemoteParent, SpanRecord } from '../streams/span-stream.ts'
import { head } from '../values/bounded-text.ts'
import { eventPropertySet, isPropertySet, type Properties, type PropertySet } from '../values/property-set.ts'
import { renderValue } from '../values/render-value.ts'
import { traceIdOf } from './trace-ids.ts'

/** An async span while it runs: what its function is given, and what {@link currentSpan} finds. */
export interface ActiveSpan {
  /** Unique in the process: `span_id` of the views, as a decimal. */
  readonly id: string
  /** 32 hexadecimal digits, the same for all spans of a trace, in other processes too. */
  readonly traceId: string
  readonly name: string
  /**
   * Adds properties, which replace those of the same name; rendered and bounded like those of logs. They are sent with the
   * span's end, as column `properties` of `async_events` and `process_spans`.
   */
  set(properties: Properties | PropertySet): this
  /**
   * Gives the span another name, and another target if there is one. A span whose begin is already written keeps both: see
   * `AsyncSpanOptions.late`.
   */
  rename(name: string, target?: string): this
  /**
   * Says that what the span measures failed: properties `error.type` (the error's class) and `exception.message` (up to
   * 1,024 characters). A rejection of the span's function says so by itself.
   */
  fail(error: unknown): this
}

/** What a span is tagged with while it runs. */
export class SpanProperties {
  /** A set, or, once more was added to it, texts of our own. */
  protected given: PropertySet | Record<string, string> | undefined

  constructor(properties?: Properties | PropertySet) {
    this.given = undefined
    if (properties !== undefined) this.set(properties)
  }

  set(properties: Properties | PropertySet): this {
    if (!dispatch.cpu.tagsEnds) return this
    // Most spans are tagged once: then there is nothing to be merged.
    if (this.given === undefined) this.given = setOf(properties)
    else this.#add(properties)
    return this
  }

  fail(error: unknown): this {
    return this.set(describeFailure(error))
  }

  /** What was given; `undefined` for nothing. */
  take(): PropertySet | undefined {
    return this.given === undefined ? undefined : setOf(this.given)
  }

  #add(properties: Properties | PropertySet): void {
    const { given } = this
    const own: Record<string, string> = isPropertySet(given)
      ? Object.assign(Object.create(null), given.toJSON())
      : (given ?? Object.create(null))
    let room = MAX_PROPERTIES - Object.keys(own).length
    for (const [name, value] of setOf(properties).entries) {
      if (Object.hasOwn(own, name) || room-- > 0) own[name] = value
    }
    this.given = own
  }
}

/** An async span between its begin and its end. */
export class OpenSpan extends SpanProperties implements OpenAsyncSpan, ActiveSpan {
  record: SpanRecord
  readonly spanId: number
  readonly parentSpanId: number
  readonly rootSpanId: number
  readonly depth: number
  readonly remote: RemoteParent | undefined
  beginTicksLow = 0
  isOpen = false
  logTags: PropertySet | undefined
  mergedFrom: PropertySet | undefined
  mergedTags: PropertySet | undefined

  constructor(record: SpanRecord, parent: OpenAsyncSpan | undefined, remote?: RemoteParent) {
    super()
    const spanId = dispatch.nextSpanId()
    this.record = record
    this.spanId = spanId
    if (parent === undefined) {
      this.parentSpanId = 0
      this.rootSpanId = spanId
      this.depth = 0
      this.remote = remote
    } else {
      this.parentSpanId = parent.spanId
      this.rootSpanId = parent.rootSpanId
      this.depth = parent.depth + 1
      this.remote = parent.remote
    }
  }

  get id(): string {
    return String(this.spanId)
  }

  get traceId(): string {
    return traceIdOf(this)
  }

  get name(): string {
    return this.record.name
  }

  rename(_name: string, _target?: string): this {
    return this
  }

  begin(): void {
    this.open()
    dispatch.cpu.beginAsyncSpan(this)
  }

  end(): void {
    this.close()
    dispatch.cpu.endAsyncSpan(this, this.take())
  }

  protected open(): void {
    this.isOpen = true
    dispatch.openAsyncSpans++
  }

  protected close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    dispatch.openAsyncSpans--
  }
}

/** A span that is written when it ends: see `LateSpanStream`. */
export class LateSpan extends OpenSpan implements LateAsyncSpan {
  beginTicks = 0n
  endTicks = 0n
  isBegun = false
  isUnfinished = false

  override rename(name: string, target?: string): this {
    const shownTarget = target === undefined ? this.record.target : toName(target)
    this.record = lateRecord(toName(name), shownTarget, this.record)
    return this
  }

  override begin(): void {
    this.open()
    dispatch.late.begin(this)
  }

  override end(): void {
    this.close()
    dispatch.late.end(this)
  }

  propertiesAtEnd(): PropertySet | undefined {
    if (this.isUnfinished) this.set({ 'span.unfinished': true })
    return this.take()
  }
}

/** What late spans of that name and target share. */
export function lateRecord(
  name: string,
  target: string,
  place?: { readonly file: string; readonly line: number },
): SpanRecord {
  return dispatch.late.recordOf(name, target, place)
}

/**
 * The async span that the calling code runs in, whoever began it: `asyncSpan`, an instrumentation, or OpenTelemetry's API
 * over the bridge. `undefined` outside of one, and while spans are off.
 */
export function currentSpan(): ActiveSpan | undefined {
  const open = dispatch.asyncSpans.getStore()
  // by what it can do, for another copy of this package may have begun it
  return typeof (open as Partial<OpenSpan> | undefined)?.set === 'function' ? (open as OpenSpan) : undefined
}

export function setOf(given: PropertySet | Properties): PropertySet {
  return isPropertySet(given) ? given : eventPropertySet(given)
}

/** For what runs while spans are off. */
export const UNRECORDED: ActiveSpan = {
  id: '0',
  traceId: '0'.repeat(32),
  name: '',
  set: () => UNRECORDED,
  rename: () => UNRECORDED,
  fail: () => UNRECORDED,
}

export function describeFailure(error: unknown): Properties {
  try {
    if (isError(error)) {
      return {
        'error.type': error.name || error.constructor?.name || 'Error',
        'exception.message': head(String(error.message), MAX_ERROR_CHARS),
      }
    }
  } catch {
    // an error whose fields throw
  }
  return { 'error.type': typeof error, 'exception.message': renderValue(error, MAX_ERROR_CHARS) }
}
