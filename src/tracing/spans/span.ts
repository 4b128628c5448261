import { type CallSite, captureCallSite, UNKNOWN_CALL_SITE } from '../call-site.ts'
import { dispatch } from '../dispatch.ts'
import { MAX_SPAN_NAMES } from '../limits.ts'
import { DEFAULT_TARGET, toName } from '../metric.ts'
import { SpanLocation, SpanRecord } from '../streams/span-stream.ts'
import { BoundedTable, TableBound } from '../values/bounded-table.ts'
import { detachedText } from '../values/detached-text.ts'
import type { Properties, PropertySet } from '../values/property-set.ts'
import {
  type ActiveSpan,
  describeFailure,
  LateSpan,
  lateRecord,
  OpenSpan,
  SpanProperties,
  setOf,
  UNRECORDED,
} from './open-span.ts'

export interface SpanOptions {
  /** The part of the program that is measured. @defaultValue `app` */
  readonly target?: string | undefined
}

/** How one run of a function is measured. */
export interface SpanRunOptions extends SpanOptions {
  /** What the span is tagged with, besides what is set while it runs. A set made by `propertySet` costs least. */
  readonly properties?: Properties | PropertySet | undefined
}

export interface AsyncSpanOptions extends SpanRunOptions {
  /**
   * Whether name and target may change until the span ends. Such a span is written when it ends, or once it is open for
   * five seconds, with the name it has then; others are written when they begin.
   * @defaultValue true for a function that takes the span
   */
  readonly late?: boolean | undefined
}

/** A thread span while it runs. */
export interface ActiveThreadSpan {
  /** Adds properties, as `ActiveSpan.set` does; they become column `properties` of `thread_spans`. */
  set(properties: Properties | PropertySet): this
  /** As `ActiveSpan.fail`; what the function throws says so by itself. */
  fail(error: unknown): this
}

/** Span names that are remembered; past it a span's events carry the name themselves. */
export const spanBound: TableBound = new TableBound(MAX_SPAN_NAMES)
const definitions = new BoundedTable<string, SpanDefinition>(spanBound)
/** Stand for the names that are not remembered, by target. */
const locationBound = new TableBound(256)
const locations = new BoundedTable<string, SpanLocation>(locationBound)

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
  end(properties?: PropertySet): void {
    if (dispatch.cpu.enabled) dispatch.cpu.endThreadSpan(this.#record, properties)
  }

  /**
   * Begins an async span, a child of the async span that the caller runs in.
   *
   * @internal
   */
  openAsync(isLate = false): OpenSpan {
    const record = this.#record
    const parent = dispatch.asyncSpans.getStore()
    const open = isLate
      ? new LateSpan(lateRecord(record.name, record.target, record), parent)
      : new OpenSpan(record, parent)
    open.begin()
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
 * @param name - A name or a definition. File and line are those of the first call under the name.
 */
export function span<T>(name: string | SpanDefinition, fn: (span: ActiveThreadSpan) => T): T
export function span<T>(
  name: string | SpanDefinition,
  options: SpanRunOptions,
  fn: (span: ActiveThreadSpan) => T,
): T
export function span<T>(
  name: string | SpanDefinition,
  optionsOrFn: SpanRunOptions | ((span: ActiveThreadSpan) => T),
  given?: (span: ActiveThreadSpan) => T,
): T {
  const fn = given ?? (optionsOrFn as (span: ActiveThreadSpan) => T)
  if (isPassedOver()) return fn(UNRECORDED)
  if (fn === given || fn.length > 0)
    return measureTagged(name, fn === given ? (optionsOrFn as SpanRunOptions) : undefined, fn)
  const definition = resolveDefinition(name, undefined, span)
  definition.begin()
  let failure: PropertySet | undefined
  try {
    return (fn as () => T)()
  } catch (error) {
    failure = failureSet(error)
    throw error
  } finally {
    definition.end(failure)
  }
}

function measureTagged<T>(
  name: string | SpanDefinition,
  options: SpanRunOptions | undefined,
  fn: (span: ActiveThreadSpan) => T,
): T {
  const properties = new SpanProperties(options?.properties)
  const definition = resolveDefinition(name, options?.target, span)
  definition.begin()
  try {
    return fn(properties)
  } catch (error) {
    properties.fail(error)
    throw error
  } finally {
    definition.end(properties.take())
  }
}

function failureSet(error: unknown): PropertySet | undefined {
  return dispatch.cpu.tagsEnds ? setOf(describeFailure(error)) : undefined
}

/**
 * Measures an asynchronous function, from its call until its promise settles, and gives its outcome. Async spans begun
 * within it are its children, wherever the event loop runs them. What it returns may be any thenable, such as a query
 * that is sent when somebody awaits it: it is awaited within the span.
 *
 * @param name - A name or a definition. File and line are those of the first call under the name.
 * @param fn - Given the span, to tag it, to name it otherwise, or to say that it failed; a rejection says so by itself.
 */
export function asyncSpan<T>(
  name: string | SpanDefinition,
  fn: (span: ActiveSpan) => PromiseLike<T> | T,
): Promise<T>
export function asyncSpan<T>(
  name: string | SpanDefinition,
  options: AsyncSpanOptions,
  fn: (span: ActiveSpan) => PromiseLike<T> | T,
): Promise<T>
export function asyncSpan<T>(
  name: string | SpanDefinition,
  optionsOrFn: AsyncSpanOptions | ((span: ActiveSpan) => PromiseLike<T> | T),
  given?: (span: ActiveSpan) => PromiseLike<T> | T,
): Promise<T> {
  const fn = given ?? (optionsOrFn as (span: ActiveSpan) => PromiseLike<T> | T)
  const options = fn === given ? (optionsOrFn as AsyncSpanOptions) : undefined
  if (isPassedOver()) return promiseOf(() => fn(UNRECORDED))
  const definition = resolveDefinition(name, options?.target, asyncSpan)
  return measureAsync(definition.openAsync(options?.late ?? fn.length > 0), options?.properties, fn)
}

/** The platform's own, which a host may have patched since. */
const { then } = Promise.prototype

/** Not an async function, whose `await` makes a promise more: on Node 20 and 22 each costs what an event does. */
function measureAsync<T>(
  open: OpenSpan,
  properties: Properties | PropertySet | undefined,
  fn: (span: ActiveSpan) => PromiseLike<T> | T,
): Promise<T> {
  if (properties !== undefined) open.set(properties)
  let running: Promise<T>
  try {
    running = dispatch.asyncSpans.run(open, callAndAwait<T>, fn, open)
  } catch (error) {
    open.fail(error).end()
    return Promise.reject(error)
  }
  return then.call(
    running,
    (value) => {
      open.end()
      return value
    },
    (error) => {
      open.fail(error).end()
      throw error
    },
  ) as Promise<T>
}

/**
 * Calls a function and begins to await what it returns. A thenable's `then` runs in the context in which that begins, not
 * in that of the function: a query which is sent by `then` must be awaited where its spans belong.
 */
function callAndAwait<T>(fn: (span: ActiveSpan) => PromiseLike<T> | T, open: ActiveSpan): Promise<T> {
  return Promise.resolve(fn(open)) // a promise of our own kind is given back as it is
}

/** Calls a function that is not measured; an async function would add a promise to the one there is. */
function promiseOf<T>(fn: () => PromiseLike<T> | T): Promise<T> {
  try {
    return Promise.resolve(fn())
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
  #open: OpenSpan | undefined

  /** @internal */
  constructor(open: OpenSpan | undefined) {
    this.#open = open
  }

  /** The span, to tag it, to name it otherwise or to say that it failed: what is told after its end is left out. */
  get span(): ActiveSpan {
    return this.#open ?? UNRECORDED
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
    open?.end()
  }

  [Symbol.dispose](): void {
    this.end()
  }
}

/** Begins an async span that the caller ends. Prefer {@link asyncSpan} where there is a promise. */
export function beginAsyncSpan(name: string | SpanDefinition, options?: AsyncSpanOptions): AsyncSpanHandle {
  if (isPassedOver()) return new AsyncSpanHandle(undefined)
  const open = resolveDefinition(name, options?.target, beginAsyncSpan).openAsync(options?.late)
  if (options?.properties !== undefined) open.set(options.properties)
  return new AsyncSpanHandle(open)
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
