import { hostname } from 'node:os'
import { Level } from '../../model/level.ts'
import type { recordLog } from '../../tracing/logs/record-log.ts'
import { eventPropertySet } from '../../tracing/values/property-set.ts'
import { withStack } from '../with-stack.ts'
import { type JsonMember, readMembers, textOfJson } from './json-members.ts'
import { type LoggerReader, type LoggerTraits, NO_TRAITS, type RecordedLevel } from './logger-traits.ts'
import { readSerializedError } from './serialized-error.ts'

/** Where a line is from, if pino says so; lines that come through a pipe have nothing but their members. */
export interface LineSource {
  readonly level: RecordedLevel | undefined
  /** The level as it stands in the line, unless a formatter has put something else there. */
  readonly levelJson: string
  readonly target: string
  /** The time as it stands in the line. */
  readonly timeJson: unknown
  readonly traits: LoggerTraits
}

/** Names of fields; those that are not given are the logger's, or pino's own defaults. */
export interface StreamKeys {
  readonly messageKey?: string | undefined
  readonly errorKey?: string | undefined
  readonly nestedKey?: string | undefined
}

export interface LineContext {
  readonly keys: StreamKeys
  readonly record: typeof recordLog
  readonly target: string
  readonly loggers: LoggerReader
}

/** What a line says besides its message and properties. */
interface LineHead {
  readonly level: RecordedLevel | undefined
  readonly target: string
  /** Whether the event has the value of a member anyway. */
  isKnown(member: JsonMember): boolean
}

const OWN_HOSTNAME = JSON.stringify(hostname())
const OWN_PID = String(process.pid)

/** Records the event of a line. Of duplicate members the last one counts, as it does for everyone who parses the line. */
export function recordMembers(
  members: readonly JsonMember[],
  source: LineSource | undefined,
  context: LineContext,
): void {
  const head = source === undefined ? readHead(members, context) : headOf(source)
  const { keys } = context
  const traits = source?.traits ?? NO_TRAITS
  const messageKey = keys.messageKey ?? traits.messageKey ?? 'msg'
  const errorKey = keys.errorKey ?? traits.errorKey ?? 'err'
  const nestedKey = keys.nestedKey ?? traits.nestedKey
  const properties: Record<string, unknown> = Object.create(null)
  let isTagged = false
  if (head.level?.isCustom) {
    properties.level = head.level.name
    isTagged = true
  }
  let text = ''
  let errorJson: string | undefined
  let nestedJson: string | undefined
  for (const member of members) {
    const { name, json } = member
    if (name === messageKey) text = textOfJson(json) ?? 'null'
    else if (name === errorKey) errorJson = json
    else if (!head.isKnown(member)) {
      properties[name] = textOfJson(json)
      isTagged = true
      if (name === nestedKey) nestedJson = json
    }
  }
  if (nestedJson !== undefined) text = withErrorWithin(text, nestedJson, errorKey)
  if (errorJson !== undefined) {
    const error = readSerializedError(errorJson)
    if (error === undefined) properties[errorKey] = textOfJson(errorJson)
    else text = withStack(text, error.text)
    for (const { name, json } of error?.details ?? []) properties[`${errorKey}.${name}`] = textOfJson(json)
    isTagged = true
  }
  context.record(
    head.level?.level ?? Level.Info,
    head.target,
    text,
    isTagged ? eventPropertySet(properties) : undefined,
  )
}

/** What pino says of a line: whatever was logged under the same names is not meant by it. */
function headOf({ level, levelJson, target, timeJson }: LineSource): LineHead {
  return {
    level,
    target,
    isKnown({ name, json }) {
      if (name === 'level') return json === levelJson || isText(json, level?.name)
      if (name === 'time') return json === timeJson
      if (name === 'name') return textOfJson(json) === target
      return isOwnProcess(name, json)
    },
  }
}

/** What a line says of itself. Pino's own members come first, what was logged under the same names later. */
function readHead(members: readonly JsonMember[], { target, loggers }: LineContext): LineHead {
  const level = members.find(({ name }) => name === 'level')
  const time = members.find(({ name }) => name === 'time')
  const name = members.find((member) => member.name === 'name')
  const recorded = level === undefined ? undefined : loggers.levelOf(scalarOf(level.json))
  const named = name?.json.startsWith('"') ? textOfJson(name.json) : undefined
  return {
    level: recorded,
    target: named || target,
    isKnown(member) {
      if (member === level) return recorded !== undefined
      if (member === name) return Boolean(named)
      return member === time || isOwnProcess(member.name, member.json)
    },
  }
}

function isText(json: string, text: string | undefined): boolean {
  return text !== undefined && textOfJson(json)?.toLowerCase() === text.toLowerCase()
}

function scalarOf(json: string): string | number | undefined {
  if (json.startsWith('"')) return textOfJson(json)
  const number = Number(json)
  return Number.isNaN(number) ? undefined : number
}

/** The process of the event is known. */
function isOwnProcess(name: string, json: string): boolean {
  return (name === 'pid' && json === OWN_PID) || (name === 'hostname' && json === OWN_HOSTNAME)
}

/** Under a `nestedKey` fields stay together in one property; a stack among them is to be readable all the same. */
function withErrorWithin(text: string, json: string, errorKey: string): string {
  const nested = readMembers(json)?.findLast(({ name }) => name === errorKey)
  const error = nested === undefined ? undefined : readSerializedError(nested.json)
  return error === undefined ? text : withStack(text, error.text)
}
