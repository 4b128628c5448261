import type { Exception } from '@opentelemetry/api'
import { isError } from '../../../model/kinds.ts'
import { MAX_MESSAGE_CHARS } from '../../../tracing/limits.ts'
import { renderErrors } from '../../../tracing/values/render-error.ts'
import { renderValue } from '../../../tracing/values/render-value.ts'

/** What is recorded of an exception. */
export interface ExceptionDescription {
  /** By OpenTelemetry's rule the `code` if there is one, and the `name` else. */
  readonly type: string | undefined
  readonly message: string
  /** Message, stack and causes, for people. */
  readonly text: string
}

/**
 * Describes what a caller gave for an exception. `undefined` for what is none: neither a text nor anything with a type or
 * a message, which OpenTelemetry's specification asks for.
 *
 * @throws What a getter of the exception throws.
 */
export function describeException(exception: unknown): ExceptionDescription | undefined {
  if (exception === undefined || exception === null) return undefined
  if (typeof exception === 'string') {
    return exception === '' ? undefined : { type: undefined, message: exception, text: exception }
  }
  const { code, name, message, stack } = exception as Exclude<Exception, string>
  const type = code ? String(code) : name ? String(name) : undefined
  const shownMessage = message ? String(message) : ''
  if (type === undefined && shownMessage === '') return undefined
  if (isError(exception)) {
    return { type, message: shownMessage, text: renderValue(exception, MAX_MESSAGE_CHARS) }
  }
  const headline = [name || type, shownMessage].filter(Boolean).join(': ')
  const frames = typeof stack === 'string' ? stack : ''
  // The stack of an error begins with its message.
  const text = frames.includes(shownMessage || headline) ? frames : `${headline}\n${frames}`.trimEnd()
  const { errors } = exception as { readonly errors?: unknown }
  return { type, message: shownMessage, text: text + renderErrors(errors, MAX_MESSAGE_CHARS) }
}
