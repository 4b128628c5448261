import { type CallSite, captureCallSite } from '../call-site.ts'
import { DEFAULT_TARGET } from '../metric.ts'
import { asyncSpan, newDefinition, type SpanOptions, span } from './span.ts'

/** How a function wrapped by {@link spanFn} is measured. */
export interface SpanFnOptions extends SpanOptions {
  /** The span's name. @defaultValue the function's name; for a method or an accessor, `Class.method`. */
  readonly name?: string | undefined
  /**
   * Whether the function returns a promise to be waited for. Say so for plain functions that return promises.
   * @defaultValue true for `async` functions, and for decorated methods whose return type is a promise by the metadata
   * that TypeScript's `emitDecoratorMetadata` leaves
   */
  readonly async?: boolean | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: the constraint of any function type
export type AnyFunction = (this: any, ...args: any[]) => any

/** What a decorator of the standard (stage 3) kind is told of the method, getter or setter it decorates. */
export type SpanFnContext =
  | ClassMethodDecoratorContext
  | ClassGetterDecoratorContext
  | ClassSetterDecoratorContext

/**
 * Decorates a method, getter or setter, static or not, private where the standard has it: compiled as the standard
 * (stage 3) has it, or as TypeScript's `experimentalDecorators` does.
 */
export interface SpanFnDecorator {
  <F extends AnyFunction>(fn: F, context?: SpanFnContext): F
  <T>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): TypedPropertyDescriptor<T>
}

/**
 * Wraps a function so that every call of it is a span: an async span for `async` functions, a thread span for others.
 * `this`, arguments, result and thrown errors pass through; the function's own properties, and what `reflect-metadata`
 * knows of it, are the wrapper's too. It is also a decorator of methods, getters and setters, of the standard (stage 3)
 * kind and of that of TypeScript's `experimentalDecorators`, as in NestJS.
 *
 * @throws `TypeError` where it is given anything but a function, a method, a getter or a setter.
 * @example
 * ```ts
 * const parse = spanFn(function parse(text: string) { return JSON.parse(text) })
 * const load = spanFn('load order', async (id: string) => fetchOrder(id))
 * class Cart { @spanFn price() { return 12 } }
 * ```
 */
export function spanFn<F extends AnyFunction>(fn: F, context?: SpanFnContext): F
export function spanFn<F extends AnyFunction>(name: string | SpanFnOptions, fn: F): F
export function spanFn(nameOrOptions?: string | SpanFnOptions): SpanFnDecorator
export function spanFn<T>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
): TypedPropertyDescriptor<T>
export function spanFn(...args: unknown[]): unknown {
  const [first = {}, second, descriptor] = args
  const place = captureCallSite(spanFn)
  if (typeof first === 'function' || isKey(second) || isContext(second)) {
    return decorate(args[0], second, descriptor, {}, place)
  }
  const options = typeof first === 'string' ? { name: first } : (first as SpanFnOptions)
  if (args.length > 1) return decorate(second, undefined, undefined, options, place)
  return (target: unknown, context?: unknown, property?: unknown) =>
    decorate(target, context, property, options, place)
}

function isContext(value: unknown): value is SpanFnContext {
  return typeof value === 'object' && value !== null
}

function isKey(value: unknown): value is string | symbol {
  return typeof value === 'string' || typeof value === 'symbol'
}

/** Tells by the second argument what a function is wrapped as: by itself, or by which kind of decorator. */
function decorate(
  target: unknown,
  context: unknown,
  property: unknown,
  options: SpanFnOptions,
  place: CallSite,
): unknown {
  if (isKey(context)) {
    return decorateProperty(target as object, context, property as PropertyDescriptor, options, place)
  }
  const fn = toFunction(target)
  if (isContext(context)) return decorateElement(fn, context, options, place)
  return wrap(fn, options.name ?? (fn.name || 'anonymous'), options, place).wrapped
}

/** As the standard has it: the class is not there yet, and tells its name when the first instance is made. */
function decorateElement(
  fn: AnyFunction,
  context: SpanFnContext,
  options: SpanFnOptions,
  place: CallSite,
): AnyFunction {
  const name = String(context.name)
  const measured = wrap(fn, options.name ?? name, options, place)
  if (options.name === undefined) {
    let isNamed = false
    context.addInitializer(function nameAfterClass(this: unknown) {
      if (isNamed) return
      const owner = context.static
        ? (this as { name?: unknown }).name
        : ownerOf(measured.wrapped, context.name, this)
      isNamed = Boolean(owner)
      if (owner) measured.rename(`${String(owner)}.${name}`)
    })
  }
  return measured.wrapped
}

/** As TypeScript's `experimentalDecorators` and Babel's `legacy` have it; `target` is the class or its prototype. */
function decorateProperty(
  target: object,
  key: string | symbol,
  property: PropertyDescriptor | undefined,
  options: SpanFnOptions,
  place: CallSite,
): PropertyDescriptor {
  const part = property?.get ? 'get' : property?.set ? 'set' : 'value'
  const fn = toFunction(property?.[part])
  const owner = typeof target === 'function' ? target.name : target.constructor?.name
  const name = options.name ?? (owner ? `${owner}.${String(key)}` : String(key))
  const isAsync = options.async ?? (part === 'value' && returnsPromise(target, key) ? true : undefined)
  const measured = wrap(fn, name, { ...options, async: isAsync }, place).wrapped
  // Changed in place as well: decorators that combine others may not heed what these return.
  return Object.assign(property as PropertyDescriptor, { [part]: measured })
}

function toFunction(value: unknown): AnyFunction {
  if (typeof value === 'function' && !isClass(value)) return value as AnyFunction
  throw new TypeError('Cannot wrap a span: expected a function, a method, a getter or a setter')
}

/** A class cannot be called, which is all that a wrapper does. */
function isClass(fn: object): boolean {
  return /^class(?:\s+[^\s(]|\s*\{)/.test(Function.prototype.toString.call(fn))
}

interface Measured {
  readonly wrapped: AnyFunction
  rename(name: string): void
}

function wrap(fn: AnyFunction, name: string, options: SpanFnOptions, place: CallSite): Measured {
  const target = options.target ?? DEFAULT_TARGET
  let definition = newDefinition(name, target, place)
  const isAsync = options.async ?? fn.constructor.name === 'AsyncFunction'
  const wrapped: AnyFunction = isAsync
    ? function (this: unknown, ...args: unknown[]) {
        return asyncSpan(definition, () => fn.apply(this, args) as unknown)
      }
    : function (this: unknown, ...args: unknown[]) {
        return span(definition, () => fn.apply(this, args) as unknown)
      }
  copyProperties(fn, wrapped)
  copyMetadata(fn, wrapped)
  return {
    wrapped,
    rename: (newName) => {
      definition = newDefinition(newName, target, place)
    },
  }
}

const OWN_TO_EACH: ReadonlySet<string | symbol> = new Set(['prototype', 'arguments', 'caller'])

/** Name and length, and what others have attached to the function. */
function copyProperties(from: AnyFunction, to: AnyFunction): void {
  for (const key of Reflect.ownKeys(from)) {
    const property = Reflect.getOwnPropertyDescriptor(from, key)
    if (property !== undefined && !OWN_TO_EACH.has(key)) Reflect.defineProperty(to, key, property)
  }
}

/** The functions that `reflect-metadata` adds to `Reflect`. */
interface MetadataReflect {
  getOwnMetadataKeys?(target: object): readonly unknown[]
  getOwnMetadata?(key: unknown, target: object): unknown
  getMetadata?(key: unknown, target: object, property: string | symbol): unknown
  defineMetadata?(key: unknown, value: unknown, target: object): void
}

/** What decorators below have said of the function: NestJS finds routes, guards and subscriptions by it. */
function copyMetadata(from: AnyFunction, to: AnyFunction): void {
  const reflect = Reflect as MetadataReflect
  for (const key of reflect.getOwnMetadataKeys?.(from) ?? []) {
    reflect.defineMetadata?.(key, reflect.getOwnMetadata?.(key, from), to)
  }
}

/** Whether TypeScript has left word that the method returns a promise. */
function returnsPromise(target: object, key: string | symbol): boolean {
  const type = (Reflect as MetadataReflect).getMetadata?.('design:returntype', target, key)
  return typeof type === 'function' && type.name === 'Promise'
}

/** The name of the class that has the method, which may be a base class of the first instance made. */
function ownerOf(method: AnyFunction, name: string | symbol, instance: unknown): string | undefined {
  for (let at: unknown = Object.getPrototypeOf(instance); at !== null; at = Object.getPrototypeOf(at)) {
    const { value, get, set } = Object.getOwnPropertyDescriptor(at, name) ?? {}
    if (value === method || get === method || set === method) return (at as object).constructor.name
  }
  return (instance as object).constructor.name // a private method, or one that another decorator has wrapped
}
