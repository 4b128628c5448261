import { MAX_MESSAGE_CHARS } from '../../tracing/limits.ts'
import { isErrorLike, renderSerializedError } from '../../tracing/values/render-error.ts'
import { type JsonMember, readMembers, textOfJson } from './json-members.ts'

/** Members of an error that its text tells, and that of its causes and of the errors that it stands for. */
const TOLD: ReadonlySet<string> = new Set(['type', 'message', 'stack', 'cause', 'aggregateErrors'])
/** Causes below each other, and errors within each other, whose members are looked at. */
const MAX_DEPTH = 4

/**
 * Reads what pino's serializers have made of an error: its stack with those of its causes and of the errors that it
 * stands for, and its other members, among them its class (`type`), unless it is a plain `Error`. `undefined` for what
 * has no stack.
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
  const message = textOfJson(read('message') ?? 'null')
  const cause = parse(read('cause'))
  const isCauseTold = isErrorLike(cause)
  const aggregateErrors = parse(read('aggregateErrors'))
  const error = { type, message, stack, aggregateErrors, ...(isCauseTold ? { cause } : {}) }
  return {
    text: renderSerializedError(error, MAX_MESSAGE_CHARS),
    details: members.filter(({ name }) => {
      if (name === 'type') return type !== 'Error'
      if (name === 'cause') return !isCauseTold || hasDetails(cause, MAX_DEPTH)
      if (name === 'aggregateErrors')
        return !Array.isArray(aggregateErrors) || hasDetails(aggregateErrors, MAX_DEPTH)
      return !TOLD.has(name)
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

/** Whether an error, or one of a list, has members that the text does not tell. */
function hasDetails(value: unknown, depth: number): boolean {
  if (Array.isArray(value)) return value.some((member) => hasDetails(member, depth))
  if (!isErrorLike(value)) return false
  if (depth === 0) return true
  const { cause = [], aggregateErrors = [] } = value
  return (
    Object.keys(value).some((name) => !TOLD.has(name)) ||
    hasDetails(cause, depth - 1) ||
    hasDetails(aggregateErrors, depth - 1)
  )
}
