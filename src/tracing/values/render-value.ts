import { isError, isObjectPrototype } from '../../model/kinds.ts'
import { builtin } from '../../model/runtime/builtins.ts'
import { BoundedText, safely, truncate } from './bounded-text.ts'
import { headline, renderError } from './render-error.ts'

const { isAnyArrayBuffer, isDate, isMap, isPromise, isSet } = builtin('node:util/types')

/** Items of an array, a map or a set, and keys of an object, that are shown. */
const MAX_ITEMS = 64
const MAX_DEPTH = 4
/** Prototypes looked at: a proxy may have no end of them. */
const MAX_PROTOTYPES = 32

/**
 * Renders any value as text of at most `maxChars` UTF-16 code units. Never throws: a throwing getter, `toString`,
 * `toJSON` or proxy costs the part it stands for. Strings are as they are, errors show their stack, the errors
 * they stand for and their causes, objects look like JSON.
 */
export function renderValue(value: unknown, maxChars: number): string {
  if (typeof value === 'string') return truncate(value, maxChars)
  if (typeof value !== 'object' || value === null) return renderPrimitive(value, maxChars)
  const output = new BoundedText(maxChars)
  if (isError(value)) renderError(value, output, (other) => renderAny(other, output, []))
  else renderObject(value, output, [])
  return output.text
}

function renderPrimitive(value: unknown, maxChars: number): string {
  if (typeof value === 'function') {
    return truncate(`[function ${safely(() => String(value.name), '') || 'anonymous'}]`, maxChars)
  }
  return truncate(String(value), maxChars)
}

function renderAny(value: unknown, output: BoundedText, ancestors: object[]): void {
  if (typeof value === 'string') output.write(quote(value, output))
  else if (typeof value !== 'object' || value === null) output.write(renderPrimitive(value, MAX_NESTED_CHARS))
  else if (isError(value)) output.write(headline(value))
  else renderObject(value, output, ancestors)
}

/** A nested string is cut before it is quoted, so that quoting stays cheap. */
const MAX_NESTED_CHARS = 8192

function quote(text: string, output: BoundedText): string {
  return output.full ? '' : JSON.stringify(truncate(text, MAX_NESTED_CHARS))
}

function renderObject(value: object, output: BoundedText, ancestors: object[]): void {
  if (output.full) return
  if (ancestors.includes(value)) return output.write('[circular]')
  if (ancestors.length >= MAX_DEPTH)
    return output.write(safely(() => Array.isArray(value), false) ? '[…]' : '{…}')
  ancestors.push(value)
  try {
    renderContents(value, output, ancestors)
  } catch (error) {
    output.write(`[unreadable: ${safely(() => String((error as Error).message), 'error')}]`)
  }
  ancestors.pop()
}

function renderContents(value: object, output: BoundedText, ancestors: object[]): void {
  if (Array.isArray(value)) renderItems('[', ']', value, value.length, output, ancestors)
  else if (isDate(value)) output.write(renderDate(value))
  else if (ArrayBuffer.isView(value)) output.write(`[${value.constructor.name} of ${value.byteLength} bytes]`)
  else if (isAnyArrayBuffer(value)) output.write(`[ArrayBuffer of ${value.byteLength} bytes]`)
  else if (isMap(value)) renderItems('Map[', ']', value, value.size, output, ancestors)
  else if (isSet(value)) renderItems('Set[', ']', value, value.size, output, ancestors)
  else if (isPromise(value)) output.write('[Promise]')
  else if (hasOwnText(value)) output.write(String(value))
  else renderKeys(value, output, ancestors)
}

function renderDate(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'Invalid Date' : date.toISOString()
}

/** True for objects whose class says how they read as text: URLs, decimals, object ids. */
function hasOwnText(value: object): boolean {
  const toText: unknown = value.toString
  if (typeof toText !== 'function' || toText === Object.prototype.toString) return false
  return toText !== inheritedText(value)
}

/** The `toString` that all objects of the value's realm have. */
function inheritedText(value: object): unknown {
  let at: unknown = Object.getPrototypeOf(value)
  for (let i = 0; i < MAX_PROTOTYPES && at !== null; i++) {
    if (isObjectPrototype(at)) return (at as object).toString
    at = Object.getPrototypeOf(at)
  }
  return undefined
}

function renderItems(
  open: string,
  close: string,
  items: Iterable<unknown>,
  count: number,
  output: BoundedText,
  ancestors: object[],
): void {
  output.write(open)
  let shown = 0
  for (const item of items) {
    if (output.full) return
    if (shown === MAX_ITEMS) {
      output.write(`, … ${count - shown} more`)
      break
    }
    if (shown++ > 0) output.write(',')
    renderAny(item, output, ancestors)
  }
  output.write(close)
}

function renderKeys(value: object, output: BoundedText, ancestors: object[]): void {
  const keys = Object.keys(value)
  output.write('{')
  for (let i = 0; i < keys.length && !output.full; i++) {
    if (i === MAX_ITEMS) {
      output.write(`,… ${keys.length - i} more`)
      break
    }
    const key = keys[i]!
    output.write(`${i > 0 ? ',' : ''}${quote(key, output)}:`)
    const member = safely<unknown>(() => (value as Record<string, unknown>)[key], UNREADABLE)
    if (member === UNREADABLE) output.write('[unreadable]')
    else renderAny(member, output, ancestors)
  }
  output.write('}')
}

const UNREADABLE = Symbol('unreadable')
