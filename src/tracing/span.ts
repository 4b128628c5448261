import { type CallSite, captureCallSite, UNKNOWN_CALL_SITE } from './call-site.ts'
import { dispatch } from './dispatch.ts'
import { DEFAULT_TARGET, toName } from './metric.ts'
import { type OpenAsyncSpan, SpanLocation, SpanRecord } from './streams/span-stream.ts'
import { BoundedTable, TableBound } from './values/bounded-table.ts'
import { detachedText } from './values/detached-text.ts'

export interface SpanOptions {
  /** The part of the program that is measured. @defaultValue `app` */
  readonly target?: string | undefined
}

/** Span names that are remembered; past it a span's events carry the name themselves. */
const spanBound = new TableBound(4096)
const definitions = new BoundedTable<string, SpanDefinition>(spanBound)
/** Stand for the names that are not remembered, by target. */
const locationBound = new TableBound(256)
const locations = new BoundedTable<string, SpanLocation>(locationBound)

/** Spans that were recorded under a name that is not remembered. */
export function spanOverflows(): number {
  return spanBound.overflows
}

/** A named place in the program that is measured. Made by {@link defineSpan}. */
export class SpanDefinition {
  readonly #record: SpanRecord

  /** @internal */
  constructor(record: SpanRecord) {
    this.#record = record
  }

  get name(): string {
    return this.#record.name
  }

  /**
   * Begins a synchronous span by hand. End it in the same turn of the event loop, on every way out: `try … finally`,
   * never across an `await`. Prefer {@link span}.
   */
  begin(): void {
    if (dispatch.cpu.enabled) dispatch.cpu.beginThreadSpan(this.#record)
  }

  /** Ends the span begun last under this definition. Without one it does nothing but count. */
  end(): void {
    if (dispatch.cpu.enabled) dispatch.cpu.endThreadSpan(this.#record)
  }

  /**
   * Begins an async span, a child of the async span that the caller runs in.
   *
   * @internal
   */
  openAsync(): OpenAsyncSpan {
    const parent = dispatch.asyncSpans.getStore()
    const spanId = dispatch.nextSpanId()
    const open: OpenAsyncSpan = {
      record: this.#record,
      spanId,
      parentSpanId: parent === undefined ? 0 : parent.spanId,
      rootSpanId: parent === undefined ? spanId : parent.rootSpanId,
      depth: parent === undefined ? 0 : parent.depth + 1,
      beginTicksLow: 0,
    }
    dispatch.cpu.beginAsyncSpan(open)
    return open
  }
}

/**
 * Defines a span once, outside the code it measures: recording then needs no look-up by name.
 *
 * @param name - Up to 255 characters; the same name and target give the same definition, file and line of the first.
 */
export function defineSpan(name: string, options?: SpanOptions): SpanDefinition {
  return findDefinition(name, options?.target, defineSpan)
}

/**
 * Measures a synchronous function as a span of the event loop's thread, and returns what it returns. What it throws is
 * thrown on, the span ended. A function that returns a promise is measured up to its first `await`: use
 * {@link asyncSpan} for those.
 *
 * @param span - A name or a definition. File and line are those of the first call under the name.
 */
export function span<T>(name: string | SpanDefinition, fn: () => T): T {
  if (isPassedOver()) return fn()
  const definition = resolveDefinition(name, undefined, span)
  definition.begin()
  try {
    return fn()
  } finally {
    definition.end()
  }
}

/**
 * Measures an asynchronous function, from its call until its promise settles, and gives its outcome. Async spans begun
 * within it are its children, wherever the event loop runs them. What it returns may be any thenable, such as a query
 * that is sent when somebody awaits it: it is awaited within the span.
 *
 * @param name - A name or a definition. File and line are those of the first call under the name.
 */
export function asyncSpan<T>(name: string | SpanDefinition, fn: () => PromiseLike<T> | T): Promise<T> {
  if (isPassedOver()) return promiseOf(fn)
  return measureAsync(resolveDefinition(name, undefined, asyncSpan), fn)
}

async function measureAsync<T>(definition: SpanDefinition, fn: () => PromiseLike<T> | T): Promise<T> {
  const open = definition.openAsync()
  try {
    return await dispatch.asyncSpans.run(open, callAndAwait<T>, fn)
  } finally {
    dispatch.cpu.endAsyncSpan(open)
  }
}

/**
 * Calls a function and begins to await what it returns. A thenable's `then` runs in the context in which that begins, not
 * in that of the function: a query which is sent by `then` must be awaited where its spans belong.
 */
function callAndAwait<T>(fn: () => PromiseLike<T> | T): Promise<T> {
  return Promise.resolve(fn()) // a promise of our own kind is given back as it is
}

/** Calls a function that is not measured; an async function would add a promise to the one there is. */
function promiseOf<T>(fn: () => PromiseLike<T> | T): Promise<T> {
  try {
    return callAndAwait(fn)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Whether spans are not recorded now: tracing is off, or they could only be counted as dropped, which this does. */
function isPassedOver(): boolean {
  const { cpu } = dispatch
  if (cpu.enabled && !cpu.refusing) return false
  if (cpu.enabled) cpu.refuse(2)
  return true
}

/** An async span that is ended by hand: for callbacks, event emitters and streams. Made by {@link beginAsyncSpan}. */
export class AsyncSpanHandle implements Disposable {
  #open: OpenAsyncSpan | undefined

  /** @internal */
  constructor(open: OpenAsyncSpan | undefined) {
    this.#open = open
  }

  /**
   * Runs a function within the span: async spans it begins are children. What the function returns is returned as it is;
   * a query that is sent when it is awaited belongs to the span where it is awaited within: `run(async () => query)`.
   */
  run<T>(fn: () => T): T {
    return this.#open === undefined ? fn() : dispatch.asyncSpans.run(this.#open, fn)
  }

  /** Ends the span; later calls do nothing. */
  end(): void {
    const open = this.#open
    this.#open = undefined
    if (open !== undefined) dispatch.cpu.endAsyncSpan(open)
  }

  [Symbol.dispose](): void {
    this.end()
  }
}

/** Begins an async span that the caller ends. Prefer {@link asyncSpan} where there is a promise. */
export function beginAsyncSpan(name: string | SpanDefinition, options?: SpanOptions): AsyncSpanHandle {
  if (isPassedOver()) return new AsyncSpanHandle(undefined)
  return new AsyncSpanHandle(resolveDefinition(name, options?.target, beginAsyncSpan).openAsync())
}

/** What a span is recorded under: whatever a caller passes for a name, the measured function must run. */
function resolveDefinition(
  name: string | SpanDefinition,
  target: string | undefined,
  callee: (...args: never[]) => unknown,
): SpanDefinition {
  if (typeof name === 'string') {
    const known = target === undefined ? definitions.get(name) : undefined
    return known ?? findDefinition(name, target, callee)
  }
  return isDefinition(name) ? name : findDefinition(name, target, callee)
}

/** True for the definitions of any copy of this package. */
function isDefinition(value: unknown): value is SpanDefinition {
  try {
    return (
      value instanceof SpanDefinition || typeof (value as SpanDefinition | null)?.openAsync === 'function'
    )
  } catch {
    return false // a proxy that refuses to be looked at
  }
}

function findDefinition(
  name: string,
  target: string | undefined,
  callee: (...args: never[]) => unknown,
): SpanDefinition {
  const shownName = toName(name)
  const shownTarget = target === undefined ? DEFAULT_TARGET : toName(target)
  // The default target is left out of the key, so that span() finds its definition by the bare name.
  const key = shownTarget === DEFAULT_TARGET ? shownName : `${shownTarget}\0${shownName}`
  const known = definitions.getOrMake(key, () =>
    newDefinition(shownName, shownTarget, captureCallSite(callee)),
  )
  return known ?? unplacedDefinition(shownName, shownTarget)
}

/** A definition of its own, whatever others there are under the name. */
export function newDefinition(name: string, target: string, place: CallSite): SpanDefinition {
  return new SpanDefinition(new SpanRecord(detachedText(toName(name)), detachedText(toName(target)), place))
}

/** A definition that is not remembered: its events carry the name, and its place is not looked for. */
function unplacedDefinition(name: string, target: string): SpanDefinition {
  const location = locations.getOrMake(target, (ownTarget) => new SpanLocation(ownTarget))
  return new SpanDefinition(
    new SpanRecord(name, target, UNKNOWN_CALL_SITE, location ?? new SpanLocation(target)),
  )
}
