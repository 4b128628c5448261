import { isError } from '../../model/kinds.ts'
import { BoundedText, safely } from './bounded-text.ts'

/** An error and its causes, or an error within an error within …: what is deeper is not shown. */
const MAX_DEPTH = 4
/** Errors of one `AggregateError` that are shown, and of one text. */
const MAX_ERRORS = 8
const MAX_ERRORS_IN_ALL = 32

/** Renders a value that was thrown but is not an error. */
type RenderOther = (value: unknown, output: BoundedText) => void

/**
 * Renders an error: its stack; the errors that it stands for, indented; its causes.
 *
 * ```
 * AggregateError: all addresses refuse
 *     at connect (…)
 *   error 1 of 2: Error: connect ECONNREFUSED ::1:5432
 *       at …
 *   error 2 of 2: Error: connect ECONNREFUSED 127.0.0.1:5432
 *       at …
 * caused by: …
 * ```
 */
export function renderError(error: Error, output: BoundedText, renderOther: RenderOther): void {
  new ErrorRenderer(output, isError, renderOther).render(error, '', [])
}

/**
 * Renders the errors of an `AggregateError` to follow the text of its stack, each on lines of its own, as
 * {@link renderError} does: for bridges, which get the stack apart. Also takes what serializers have made of errors: objects
 * that have a `stack` or a `message`, and `type` for the class. Empty for anything but a list of these. Never throws.
 */
export function renderErrors(errors: unknown, maxChars: number): string {
  const output = new BoundedText(maxChars)
  safely(() => {
    if (!Array.isArray(errors) || !errors.slice(0, MAX_ERRORS).some(isErrorLike)) return
    const renderOther = (value: unknown): void => output.write(String(value))
    new ErrorRenderer(output, isErrorLike, renderOther).renderParts(listed(errors), '', [])
  }, undefined)
  return output.text
}

/**
 * Renders what a serializer has made of an error, as {@link renderError} does an error: an object that has a `stack` or a
 * `message`, and may have `type` or `name` for the class, `cause`, and `errors` or `aggregateErrors` of the same kind.
 * Never throws.
 */
export function renderSerializedError(error: ErrorLike, maxChars: number): string {
  const output = new BoundedText(maxChars)
  const renderOther = (value: unknown): void => output.write(JSON.stringify(value) ?? String(value))
  safely(() => new ErrorRenderer(output, isErrorLike, renderOther).render(error, '', []), undefined)
  return output.text
}

/** The class and the message of an error, and in brackets those of the errors that it stands for. */
export function headline(error: Error): string {
  const own = headOf(error)
  const { parts, more } = partsOf(error)
  if (parts.length === 0) return own
  const inner = parts.map(([, part]) =>
    isError(part) ? headOf(part) : safely(() => String(part), '[error]'),
  )
  return `${own} [${inner.join('; ')}${more > 0 ? `; … ${more} more` : ''}]`
}

/** What is read of an error, or of what a serializer has made of one. */
export interface ErrorLike {
  readonly name?: unknown
  readonly type?: unknown
  readonly message?: unknown
  readonly stack?: unknown
  readonly cause?: unknown
  readonly errors?: unknown
  readonly aggregateErrors?: unknown
  readonly error?: unknown
  readonly suppressed?: unknown
}

/** True for errors, and for what serializers make of them. */
export function isErrorLike(value: unknown): value is ErrorLike {
  if (isError(value)) return true
  if (typeof value !== 'object' || value === null) return false
  return safely(() => {
    const { stack, message } = value as ErrorLike
    return typeof stack === 'string' || typeof message === 'string'
  }, false)
}

class ErrorRenderer {
  readonly #output: BoundedText
  readonly #isError: (value: unknown) => value is ErrorLike
  readonly #renderOther: RenderOther
  #left = MAX_ERRORS_IN_ALL

  constructor(
    output: BoundedText,
    isErrorHere: (value: unknown) => value is ErrorLike,
    renderOther: RenderOther,
  ) {
    this.#output = output
    this.#isError = isErrorHere
    this.#renderOther = renderOther
  }

  /** @param indent - Goes before every line but the first. */
  render(error: ErrorLike, indent: string, ancestors: readonly unknown[]): void {
    this.#write(stackOf(error), indent)
    const path = [...ancestors, error]
    this.renderParts(partsOf(error), indent, path)
    const cause = safely(() => error.cause, undefined)
    if (cause === undefined) return
    this.#write('\ncaused by: ', indent)
    this.#renderAny(cause, indent, path)
  }

  renderParts({ parts, more }: Parts, indent: string, path: readonly unknown[]): void {
    const within = `${indent}  `
    for (const [i, [name, part]] of parts.entries()) {
      if (this.#output.full) return
      if (this.#left-- <= 0) return this.#write(`\n… ${parts.length - i + more} more errors`, within)
      this.#write(`\n${name}: `, within)
      this.#renderAny(part, within, path)
    }
    if (more > 0) this.#write(`\n… ${more} more errors`, within)
  }

  #renderAny(value: unknown, indent: string, path: readonly unknown[]): void {
    if (this.#output.full) return
    if (path.length >= MAX_DEPTH) this.#write('…', indent)
    else if (path.includes(value)) this.#write('[circular]', indent)
    else if (this.#isError(value)) this.render(value, indent, path)
    else this.#renderOther(value, this.#output)
  }

  #write(text: string, indent: string): void {
    this.#output.write(indent === '' ? text : text.replaceAll('\n', `\n${indent}`))
  }
}

/** The stack, with the message that the error has now: the stack begins with that of the time when it was made. */
function stackOf(error: ErrorLike): string {
  const message = safely(() => String(error.message ?? ''), '')
  const stack = safely(() => (typeof error.stack === 'string' ? error.stack : ''), '')
  const framesAt = stack.indexOf('\n    at ')
  const head = stack.slice(0, framesAt < 0 ? undefined : framesAt)
  if (stack !== '' && (head.includes(message) || (!isError(error) && isExtended(message, head)))) {
    return withClass(stack, head, classOf(error))
  }
  return `${headOf(error)}\n${stack}`.trimEnd()
}

/** What serializers write as the message has those of the causes too, which its stack tells one by one. */
function isExtended(message: string, head: string): boolean {
  const colon = head.indexOf(': ')
  return message.startsWith(`${colon < 0 ? '' : head.slice(colon + 2)}: `)
}

/** A stack begins with the name that the error had when it was made: subclasses that set none are called `Error` there. */
function withClass(stack: string, head: string, name: string): string {
  const shown = /^(?:\w*Error)(?=: |$)/.exec(head.split('\n', 1)[0]!)?.[0]
  if (shown === undefined || head.includes(name)) return stack
  return shown === 'Error'
    ? name + stack.slice(shown.length)
    : `${name} [${shown}]${stack.slice(shown.length)}`
}

function headOf(error: ErrorLike): string {
  return safely(() => `${classOf(error)}: ${error.message}`, '[error]')
}

/** Names that subclasses inherit. */
const NATIVE_NAMES: ReadonlySet<string> = new Set(
  'Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError'.split(' '),
)

/** The name that an error has been given, else the name of its class, unless that is one which a minifier gave. */
function classOf(error: ErrorLike): string {
  const name = safely(
    () => String(isError(error) ? error.name : (error.type ?? error.name ?? 'Error')),
    'Error',
  )
  if (!NATIVE_NAMES.has(name) || !isError(error)) return name
  const ownName = safely(() => String(error.constructor.name), name)
  return /^[A-Z]\w{3,}$/.test(ownName) ? ownName : name
}

/** The errors that an error stands for. */
interface Parts {
  readonly parts: readonly (readonly [name: string, value: unknown])[]
  /** How many there are besides. */
  readonly more: number
}

const NO_PARTS: Parts = { parts: [], more: 0 }

/** Those of an `AggregateError`, and the two of a `SuppressedError`. */
function partsOf(error: ErrorLike): Parts {
  return safely(() => {
    if (error.name === 'SuppressedError' && 'suppressed' in error) {
      const parts = [['error', error.error] as const, ['suppressed', error.suppressed] as const]
      return { parts, more: 0 }
    }
    const errors = error.aggregateErrors ?? error.errors
    return Array.isArray(errors) && isAggregate(error, errors) ? listed(errors) : NO_PARTS
  }, NO_PARTS)
}

/** Libraries have aggregates of their own; the list of what is wrong with a form is not one. */
function isAggregate(error: ErrorLike, errors: readonly unknown[]): boolean {
  return error.name === 'AggregateError' || errors.slice(0, MAX_ERRORS).some(isError) || !isError(error)
}

function listed(errors: readonly unknown[]): Parts {
  const shown = errors.slice(0, MAX_ERRORS)
  const parts = shown.map((value, i) => [`error ${i + 1} of ${errors.length}`, value] as const)
  return { parts, more: errors.length - shown.length }
}
