import { isError } from '../kinds.ts'

/** Errors of an `AggregateError` that are told; more of them say the same. */
const MAX_ERRORS = 4

/**
 * What an error says, in one line, for messages to the operator: its message, and those of the errors that an
 * `AggregateError` stands for, such as the addresses of one host that all refuse. Never throws.
 */
export function errorMessage(error: unknown): string {
  try {
    return messageOf(error, 0)
  } catch {
    return 'an error that cannot be read'
  }
}

function messageOf(error: unknown, depth: number): string {
  if (!isError(error)) return String(error)
  const message = String(error.message)
  const { errors } = error as { readonly errors?: unknown }
  if (!Array.isArray(errors) || errors.length === 0 || depth > 1) return message || String(error)
  const told = new Set(errors.slice(0, MAX_ERRORS).map((inner) => messageOf(inner, depth + 1)))
  if (errors.length > MAX_ERRORS) told.add(`${errors.length - MAX_ERRORS} more errors`)
  return [message, [...told].join('; ')].filter((part) => part !== '').join(': ')
}
