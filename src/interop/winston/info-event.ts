import { stripVTControlCharacters } from 'node:util'
import { isError } from '../../model/kinds.ts'
import { MAX_MESSAGE_CHARS } from '../../tracing/limits.ts'
import { renderValue } from '../../tracing/values/render-value.ts'
import { withStack } from '../with-stack.ts'

/** What winston's formats transform. */
export interface WinstonInfo {
  level: string
  message: unknown
  [key: string | symbol]: unknown
}

/** What the event of an info consists of, besides its level. */
export interface InfoEvent {
  readonly target: string
  readonly message: string
  readonly properties: Record<string, unknown> | undefined
}

/** Where winston keeps the level's name, however `level` has been coloured or padded. */
const LEVEL = Symbol.for('level')
/** Where winston keeps what followed the message in the call. */
const SPLAT = Symbol.for('splat')

const ERROR_FIELDS: readonly string[] = ['stack', 'cause']
/** What winston says of the process and the machine, at length, with an exception or a rejection that it handles. */
const FAILURE_FIELDS: readonly string[] = 'error stack exception rejection date process os trace'.split(' ')

/** The name of an info's level. */
export function levelNameOf(info: WinstonInfo): string {
  const name = info[LEVEL] ?? info.level
  return typeof name === 'string' ? name : ''
}

/** Reads an info. What formats have put in it counts, not what the call was given. */
export function readInfo(info: WinstonInfo, defaultTarget: string): InfoEvent {
  const metadata = metadataOf(info)
  const isLogged = (key: string): boolean => metadata !== undefined && metadata[key] === info[key]
  /** Fields that the event has elsewhere. */
  const taken: string[] = []
  // A label and a timestamp that the call was given are not those of the formats.
  const { label, timestamp } = info
  const isTarget = typeof label === 'string' && label !== '' && !isLogged('label')
  if (isTarget) taken.push('label')
  if (typeof timestamp === 'string' && !isLogged('timestamp')) taken.push('timestamp')
  const message = messageOf(info, taken)
  let properties = propertiesOf(info, taken, undefined)
  // The members of an error that is not merged into the info, as it is where it follows the message.
  const error = isFailure(info) ? info.error : info.message
  if (isError(error)) properties = propertiesOf(error, ERROR_FIELDS, properties)
  return { target: isTarget ? label : defaultTarget, message, properties }
}

/** Adds to `taken` the fields that have become part of the message. */
function messageOf(info: WinstonInfo, taken: string[]): string {
  if (isError(info)) {
    taken.push(...ERROR_FIELDS)
    return renderValue(info, MAX_MESSAGE_CHARS)
  }
  const text = textOf(info.message)
  if (!isFailure(info)) return withErrors(info, text, taken)
  taken.push(...FAILURE_FIELDS)
  return withWholeError(text, info.error)
}

/** Whether winston has made the info of an exception or a rejection that nobody handled. */
function isFailure(info: WinstonInfo): boolean {
  return (info.exception === true || info.rejection === true) && Array.isArray(info.trace) && 'os' in info
}

function textOf(message: unknown): string {
  const text = message === undefined ? '' : renderValue(message, MAX_MESSAGE_CHARS)
  return text.includes('\u001b') ? stripVTControlCharacters(text) : text
}

/** winston's message ends with the error's stack, which says nothing of causes. */
function withWholeError(text: string, error: unknown): string {
  if (!isError(error)) return text
  const stack = String(error.stack)
  const headline = text.endsWith(stack) ? text.slice(0, -stack.length).trimEnd() : text
  return `${headline}\n${renderValue(error, MAX_MESSAGE_CHARS)}`
}

/**
 * winston copies the stack and the cause of an error that follows the message into the info, where metadata may have
 * such names too.
 */
function withErrors(info: WinstonInfo, text: string, taken: string[]): string {
  const { stack, cause } = info
  const splat = splatOf(info)
  const [first] = splat
  let described = text
  if (typeof stack === 'string' && isError(first) && first.stack === stack) {
    taken.push('stack')
    if (cause === first.cause) taken.push('cause')
    described = withStack(text, renderValue(first, MAX_MESSAGE_CHARS))
  } else if (typeof stack === 'string' && /\n\s+at /.test(stack)) {
    taken.push('stack')
    described = withStack(text, stack)
    if (isError(cause)) {
      taken.push('cause')
      described += `\ncaused by: ${renderValue(cause, MAX_MESSAGE_CHARS)}`
    }
  }
  // winston does not look for errors behind the first value, nor for any where the message has placeholders.
  const unseen = stack === undefined && PLACEHOLDER.test(text) ? splat : splat.slice(1)
  for (const error of unseen) {
    if (isError(error) && !described.includes(String(error.stack))) {
      described += `\n${renderValue(error, MAX_MESSAGE_CHARS)}`
    }
  }
  return described
}

/** Those of winston's format `splat`. */
const PLACEHOLDER = /%[scdjifoO]/

function splatOf(info: WinstonInfo): readonly unknown[] {
  const splat = info[SPLAT]
  return Array.isArray(splat) ? splat : []
}

/** The metadata of the call, whose members winston has copied into the info. */
function metadataOf(info: WinstonInfo): Readonly<Record<string, unknown>> | undefined {
  const [first] = splatOf(info)
  return typeof first === 'object' && first !== null ? (first as Record<string, unknown>) : undefined
}

function propertiesOf(
  holder: object,
  taken: readonly string[],
  properties: Record<string, unknown> | undefined,
): Record<string, unknown> | undefined {
  let all = properties
  for (const key of Object.keys(holder)) {
    if (key === 'level' || key === 'message' || taken.includes(key)) continue
    all ??= Object.create(null) as Record<string, unknown>
    all[key] = (holder as Record<string, unknown>)[key]
  }
  return all
}
