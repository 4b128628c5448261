import { builtin } from './runtime/builtins.ts'

const { isNativeError } = builtin('node:util/types')

/**
 * What kind of thing a value is, whatever realm it comes from: each `vm` context, and so each test file of jest, has an
 * `Error`, a `Map` and a `Promise` of its own, which `instanceof` does not know. None of these throws, as a proxy may.
 */

/** Prototypes looked at; nobody inherits more often than that. */
const MAX_PROTOTYPES = 32

/** True for errors, whoever made them: those of the platform (`DOMException` too), of subclasses, of other realms. */
export function isError(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false
  if (isNativeError(value)) return true
  try {
    return value instanceof Error || inheritsError(value)
  } catch {
    return false // a proxy that refuses to be looked at
  }
}

/** True for what `JSON.parse` throws, whose message quotes the text. */
export function isSyntaxError(value: unknown): boolean {
  return isError(value) && value.name === 'SyntaxError'
}

/** True for objects without a class: literals, also those of other realms, and objects without a prototype. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  try {
    const prototype: unknown = Object.getPrototypeOf(value)
    return prototype === null || prototype === Object.prototype || isObjectPrototype(prototype)
  } catch {
    return false
  }
}

/** True for what can be awaited: promises of any realm and library. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  try {
    return typeof (value as { then?: unknown }).then === 'function'
  } catch {
    return false
  }
}

/** True for the `Object.prototype` of any realm. */
export function isObjectPrototype(value: unknown): boolean {
  if (value === Object.prototype) return true
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === null &&
    Object.hasOwn(value, 'isPrototypeOf') &&
    Object.hasOwn(value, 'propertyIsEnumerable')
  )
}

/** For errors that the platform did not make itself: `DOMException`, and those made by `Object.create`. */
function inheritsError(value: object): boolean {
  let at: unknown = Object.getPrototypeOf(value)
  for (let i = 0; i < MAX_PROTOTYPES && typeof at === 'object' && at !== null; i++) {
    if (isObjectPrototype(at)) return false
    if (isErrorPrototype(at)) return true
    at = Object.getPrototypeOf(at)
  }
  return false
}

/** True for the `Error.prototype` of any realm: nobody else's constructor captures stack traces. */
function isErrorPrototype(value: object): boolean {
  const maker: unknown = Object.getOwnPropertyDescriptor(value, 'constructor')?.value
  return (
    typeof maker === 'function' &&
    maker.name === 'Error' &&
    typeof Object.getOwnPropertyDescriptor(maker, 'captureStackTrace')?.value === 'function'
  )
}
