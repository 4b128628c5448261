import { BoundedTable, TableBound } from './bounded-table.ts'
import { type CallSite, captureCallSite, UNKNOWN_CALL_SITE } from './call-site.ts'
import { detachedText } from './detached-text.ts'
import { dispatch } from './dispatch.ts'
import { DEFAULT_TARGET, toName } from './metric.ts'
import { type OpenAsyncSpan, SpanLocation, SpanRecord } from './span-stream.ts'

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
 * within it are its children, wherever the event loop runs them.
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
    return await dispatch.asyncSpans.run(open, fn)
  } finally {
    dispatch.cpu.endAsyncSpan(open)
  }
}

/** Calls a function that is not measured; an async function would add a promise to the one there is. */
function promiseOf<T>(fn: () => PromiseLike<T> | T): Promise<T> {
  try {
    const outcome = fn()
    return outcome instanceof Promise ? outcome : Promise.resolve(outcome)
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

  /** Runs a function within the span: async spans it begins are children. */
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

/** How a function wrapped by {@link spanFn} is measured. */
export interface SpanFnOptions extends SpanOptions {
  /** The span's name. @defaultValue the function's name; for a method, `Class.method`. */
  readonly name?: string | undefined
  /**
   * Whether the function returns a promise to be waited for. @defaultValue true for `async` functions; say so for plain
   * functions that return promises.
   */
  readonly async?: boolean | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: the constraint of any function type
export type AnyFunction = (this: any, ...args: any[]) => any

/**
 * Wraps a function so that every call of it is a span: an async span for `async` functions, a thread span for others.
 * `this`, arguments, result and thrown errors pass through. It is also a method decorator of the standard (stage 3)
 * kind.
 *
 * @example
 * ```ts
 * const parse = spanFn(function parse(text: string) { return JSON.parse(text) })
 * const load = spanFn('load order', async (id: string) => fetchOrder(id))
 * class Cart { @spanFn price() { return 12 } }
 * ```
 */
export function spanFn<F extends AnyFunction>(fn: F, context?: ClassMethodDecoratorContext): F
export function spanFn<F extends AnyFunction>(name: string | SpanFnOptions, fn: F): F
export function spanFn(
  nameOrOptions: string | SpanFnOptions,
): <F extends AnyFunction>(fn: F, context?: ClassMethodDecoratorContext) => F
export function spanFn(
  first: AnyFunction | string | SpanFnOptions,
  second?: AnyFunction | ClassMethodDecoratorContext,
): unknown {
  if (typeof first === 'function') return wrap(first, {}, toContext(second))
  const options = typeof first === 'string' ? { name: first } : first
  if (typeof second === 'function') return wrap(second, options, undefined)
  const place = captureCallSite(spanFn)
  return (fn: AnyFunction, context?: ClassMethodDecoratorContext) => wrap(fn, options, context, place)
}

function toContext(
  second: AnyFunction | ClassMethodDecoratorContext | undefined,
): ClassMethodDecoratorContext | undefined {
  return typeof second === 'object' ? second : undefined
}

function wrap(
  fn: AnyFunction,
  options: SpanFnOptions,
  context: ClassMethodDecoratorContext | undefined,
  place: CallSite = captureCallSite(spanFn),
): AnyFunction {
  if (typeof fn !== 'function') throw new TypeError('Cannot wrap a span: expected a function')
  const name = options.name ?? (context === undefined ? fn.name || 'anonymous' : String(context.name))
  const target = options.target ?? DEFAULT_TARGET
  let definition = newDefinition(name, target, place)
  if (context !== undefined && options.name === undefined) {
    context.addInitializer(function nameAfterClass(this: unknown) {
      if (definition.name !== name) return
      const owner = context.static ? (this as { name?: unknown }).name : ownerOf(wrapped, context.name, this)
      if (owner) definition = newDefinition(`${String(owner)}.${name}`, target, place)
    })
  }
  const isAsync = options.async ?? fn.constructor.name === 'AsyncFunction'
  const wrapped: AnyFunction = isAsync
    ? function (this: unknown, ...args: unknown[]) {
        return asyncSpan(definition, () => fn.apply(this, args) as unknown)
      }
    : function (this: unknown, ...args: unknown[]) {
        return span(definition, () => fn.apply(this, args) as unknown)
      }
  Object.defineProperty(wrapped, 'name', { value: fn.name, configurable: true })
  Object.defineProperty(wrapped, 'length', { value: fn.length, configurable: true })
  return wrapped
}

/** The name of the class that has the method, which may be a base class of the first instance made. */
function ownerOf(method: AnyFunction, name: string | symbol, instance: unknown): string | undefined {
  for (let at: unknown = Object.getPrototypeOf(instance); at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.getOwnPropertyDescriptor(at, name)?.value === method) return (at as object).constructor.name
  }
  return (instance as object).constructor.name // a private method, or one that another decorator has wrapped
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

function newDefinition(name: string, target: string, place: CallSite): SpanDefinition {
  return new SpanDefinition(new SpanRecord(detachedText(toName(name)), detachedText(toName(target)), place))
}

/** A definition that is not remembered: its events carry the name, and its place is not looked for. */
function unplacedDefinition(name: string, target: string): SpanDefinition {
  const location = locations.getOrMake(target, (ownTarget) => new SpanLocation(ownTarget))
  return new SpanDefinition(
    new SpanRecord(name, target, UNKNOWN_CALL_SITE, location ?? new SpanLocation(target)),
  )
}
