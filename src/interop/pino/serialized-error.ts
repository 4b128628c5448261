import { MAX_MESSAGE_CHARS } from '../../tracing/log-stream.ts'
import { renderValue } from '../../tracing/render-value.ts'
import { type JsonMember, readMembers, textOfJson } from './json-members.ts'

/** What pino's serializers make of an error. */
interface SerializedError {
  readonly type?: unknown
  readonly message?: unknown
  readonly stack: string
  readonly cause?: unknown
  readonly aggregateErrors?: unknown
}

/** Errors of an aggregate, and causes below each other, that are shown. */
const MAX_ERRORS = 64
const MAX_DEPTH = 4
/** Members that the text has. */
const SHOWN: ReadonlySet<string> = new Set(['message', 'stack'])

/**
 * Reads what pino's serializers have made of an error: its stack with those of its causes and of the errors that it is
 * made of, and its other members, among them its class (`type`), unless it is a plain `Error`. `undefined` for what has
 * no stack.
 */
export function readSerializedError(
  json: string,
): { readonly text: string; readonly details: readonly JsonMember[] } | undefined {
  const members = readMembers(json)
  if (members === undefined) return undefined
  const read = (key: string): string | undefined => members.findLast(({ name }) => name === key)?.json
  const stackJson = read('stack')
  const stack = stackJson?.startsWith('"') ? textOfJson(stackJson) : undefined
  if (!stack) return undefined
  const type = textOfJson(read('type') ?? 'null')
  const cause = parse(read('cause'))
  const aggregateErrors = parse(read('aggregateErrors'))
  const error = { type, stack, message: textOfJson(read('message') ?? 'null'), cause, aggregateErrors }
  return {
    text: textOf(error),
    details: members.filter(({ name }) => {
      if (name === 'type') return type !== 'Error'
      if (name === 'cause') return !isSerializedError(cause)
      if (name === 'aggregateErrors') return !Array.isArray(aggregateErrors)
      return !SHOWN.has(name)
    }),
  }
}

function parse(json: string | undefined): unknown {
  try {
    return json === undefined ? undefined : JSON.parse(json)
  } catch {
    return undefined // the brackets match, but what is between them is not JSON
  }
}

function isSerializedError(value: unknown): value is SerializedError {
  if (typeof value !== 'object' || value === null) return false
  const { stack } = value as { readonly stack?: unknown }
  return typeof stack === 'string' && stack !== ''
}

function textOf(error: SerializedError): string {
  if (isSerializedError(error.cause) || Array.isArray(error.aggregateErrors)) {
    return renderValue(toError(error, 1), MAX_MESSAGE_CHARS)
  }
  const message = messageBeyondStack(error)
  return message === '' ? error.stack : `${String(error.type ?? 'Error')}: ${message}\n${error.stack}`
}

/** An error again, which looks in the log as one does that is recorded without pino. */
function toError(serialized: SerializedError, depth: number): Error {
  const { type, stack, cause, aggregateErrors } = serialized
  const message = messageBeyondStack(serialized)
  const isDeep = depth >= MAX_DEPTH
  const options = !isDeep && isSerializedError(cause) ? { cause: toError(cause, depth + 1) } : {}
  const toMember = (member: unknown, i: number): unknown =>
    i < MAX_ERRORS && isSerializedError(member) ? toError(member, depth + 1) : member
  const error = Array.isArray(aggregateErrors)
    ? new AggregateError(isDeep ? [] : aggregateErrors.map(toMember), message, options)
    : new Error(message, options)
  if (typeof type === 'string') error.name = type
  error.stack = stack
  return error
}

/** The message, where the stack does not say it: pino appends to it the messages of the causes. */
function messageBeyondStack({ message, stack }: SerializedError): string {
  if (typeof message !== 'string') return ''
  const frames = stack.indexOf('\n    at ')
  const headline = frames < 0 ? stack : stack.slice(0, frames)
  const ownMessage = headline.slice(headline.indexOf(': ') + 2)
  return headline.endsWith(message) || message.startsWith(`${ownMessage}: `) ? '' : message
}
