/** Items of an array, a map or a set, and keys of an object, that are shown. */
const MAX_ITEMS = 64
const MAX_DEPTH = 4
const ELLIPSIS = '…'

/**
 * Renders any value as text of at most `maxChars` UTF-16 code units. Never throws: a throwing getter, `toString`,
 * `toJSON` or proxy costs the part it stands for. Strings are as they are, errors show stack and causes, objects look
 * like JSON.
 */
export function renderValue(value: unknown, maxChars: number): string {
  if (typeof value === 'string') return truncate(value, maxChars)
  if (typeof value !== 'object' || value === null) return renderPrimitive(value, maxChars)
  const output = new Output(maxChars)
  if (isError(value)) renderError(value, output)
  else renderObject(value, output, [])
  return output.text
}

/** Proxies may refuse the question, which is why `instanceof` is not asked bare. */
export function isError(value: unknown): value is Error {
  return safely(() => value instanceof Error, false)
}

/** Room for what {@link truncate} adds. */
const NOTE_CHARS = 36

/** Cuts a text that is longer than `maxChars`, and says how much is missing; that note counts towards the limit. */
export function truncate(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const kept = head(text, maxChars - NOTE_CHARS)
  return `${kept}${ELLIPSIS} [${text.length - kept.length} more characters]`
}

/** The first `chars` UTF-16 code units, one less where that would cut a surrogate pair. */
export function head(text: string, chars: number): string {
  if (text.length <= chars) return text
  const last = text.charCodeAt(chars - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? chars - 1 : chars)
}

/** Collects text up to a limit; `full` tells the renderers to stop. */
class Output {
  text = ''
  full = false
  readonly #maxChars: number

  constructor(maxChars: number) {
    this.#maxChars = maxChars
  }

  write(text: string): void {
    if (this.full) return
    if (this.text.length + text.length > this.#maxChars) {
      this.text = head(this.text + text, this.#maxChars - ELLIPSIS.length) + ELLIPSIS
      this.full = true
    } else {
      this.text += text
    }
  }
}

function renderPrimitive(value: unknown, maxChars: number): string {
  if (typeof value === 'function') {
    return truncate(`[function ${safely(() => String(value.name), '') || 'anonymous'}]`, maxChars)
  }
  return truncate(String(value), maxChars)
}

function renderError(error: Error, output: Output): void {
  let current: unknown = error
  for (let depth = 0; depth < MAX_DEPTH && isError(current) && !output.full; depth++) {
    const shown: Error = current
    if (depth > 0) output.write('\ncaused by: ')
    const message = safely(() => String(shown.message), '')
    const stack = safely(() => (typeof shown.stack === 'string' ? shown.stack : ''), '')
    // The stack begins with the message, as it was when the error was made.
    const framesAt = stack.indexOf('\n    at ')
    const isComplete = stack !== '' && stack.slice(0, framesAt < 0 ? undefined : framesAt).includes(message)
    output.write(isComplete ? stack : `${headline(shown)}\n${stack}`.trimEnd())
    current = safely(() => shown.cause, undefined)
  }
  if (current !== undefined && !isError(current) && !output.full) {
    output.write('\ncaused by: ')
    renderAny(current, output, [])
  }
}

function headline(error: Error): string {
  return safely(() => `${error.name}: ${error.message}`, '[error]')
}

function renderAny(value: unknown, output: Output, ancestors: object[]): void {
  if (typeof value === 'string') output.write(quote(value, output))
  else if (typeof value !== 'object' || value === null) output.write(renderPrimitive(value, MAX_NESTED_CHARS))
  else if (isError(value)) output.write(headline(value))
  else renderObject(value, output, ancestors)
}

/** A nested string is cut before it is quoted, so that quoting stays cheap. */
const MAX_NESTED_CHARS = 8192

function quote(text: string, output: Output): string {
  return output.full ? '' : JSON.stringify(truncate(text, MAX_NESTED_CHARS))
}

function renderObject(value: object, output: Output, ancestors: object[]): void {
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

function renderContents(value: object, output: Output, ancestors: object[]): void {
  if (Array.isArray(value)) renderItems('[', ']', value, value.length, output, ancestors)
  else if (value instanceof Date)
    output.write(Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString())
  else if (ArrayBuffer.isView(value)) output.write(`[${value.constructor.name} of ${value.byteLength} bytes]`)
  else if (value instanceof Map) renderItems('Map[', ']', value, value.size, output, ancestors)
  else if (value instanceof Set) renderItems('Set[', ']', value, value.size, output, ancestors)
  else if (hasOwnText(value)) output.write(String(value))
  else renderKeys(value, output, ancestors)
}

/** True for objects whose class says how they read as text: URLs, decimals, object ids. */
function hasOwnText(value: object): boolean {
  const toText: unknown = value.toString
  return typeof toText === 'function' && toText !== Object.prototype.toString
}

function renderItems(
  open: string,
  close: string,
  items: Iterable<unknown>,
  count: number,
  output: Output,
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

function renderKeys(value: object, output: Output, ancestors: object[]): void {
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

function safely<T>(read: () => T, fallback: T): T {
  try {
    return read()
  } catch {
    return fallback
  }
}
