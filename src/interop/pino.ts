import { hostname } from 'node:os'
import { Level, parseLevel } from '../model/level.ts'
import { MAX_MESSAGE_CHARS } from '../tracing/log-stream.ts'
import { eventPropertySet } from '../tracing/property-set.ts'
import { recordLog } from '../tracing/record-log.ts'
import { renderValue } from '../tracing/render-value.ts'
import { withStack } from './with-stack.ts'

export interface PinoStreamOptions {
  /** Target of loggers that have no `name`. @defaultValue `pino` */
  readonly target?: string | undefined
  /** The `messageKey` that pino was given. @defaultValue `msg` */
  readonly messageKey?: string | undefined
  /** The `errorKey` that pino was given. @defaultValue `err` */
  readonly errorKey?: string | undefined
}

/** What pino writes to. */
export interface PinoStream {
  /** Records one line of pino's. Never throws. */
  write(line: string): void
}

/** Longer lines are not parsed, for that would hold up the process; they are recorded as text. */
const MAX_LINE_CHARS = 1024 * 1024
/** Asks pino and its multistream to say, before each line, which logger and level it is from. */
const METADATA: unique symbol = Symbol.for('pino.metadata') as never

type Fields = Readonly<Record<string, unknown>>

/**
 * A destination for pino, in its own process: `pino(options, micromegasPinoStream())`, or one of several in
 * `pino.multistream`. Each line becomes a log event, which has what pino has made of it, redaction and serializers
 * included.
 *
 * The target is the `name` of the logger. A level between two of pino's is the less severe one. The message is `msg`,
 * with the stack of `err` below. Every other field is a property, objects as JSON, other members of the error as
 * `err.code` and so on; `time` is left out because the event has one, `pid` and `hostname` where they are this
 * process's. A line that is no JSON object, or longer than 1 Mi characters, is recorded as it is.
 *
 * @example
 * ```ts
 * const streams = [{ stream: process.stdout }, { level: 'debug', stream: micromegasPinoStream() }]
 * const log = pino({ name: 'shop', level: 'debug' }, pino.multistream(streams))
 * ```
 */
export function micromegasPinoStream(options: PinoStreamOptions = {}): PinoStream {
  return new LineRecorder(options)
}

class LineRecorder implements PinoStream {
  readonly [METADATA] = true
  /** By this pino tells a stream from options when it gets one argument only. */
  readonly writable = true
  /** Set by pino before each line. Fields of the line may be called `level` and `name` too, and then hide these. */
  lastLevel: unknown = undefined
  lastLogger: unknown = undefined
  readonly #target: string
  readonly #messageKey: string
  readonly #errorKey: string
  readonly #hostname = hostname()
  /** Names by logger, of which there may be one for every request. */
  readonly #names = new WeakMap<object, string | undefined>()

  constructor({ target = 'pino', messageKey = 'msg', errorKey = 'err' }: PinoStreamOptions) {
    this.#target = target
    this.#messageKey = messageKey
    this.#errorKey = errorKey
  }

  write(line: string): void {
    const text = typeof line === 'string' ? line : renderValue(line, MAX_LINE_CHARS)
    const fields = text.length > MAX_LINE_CHARS ? undefined : parseFields(text)
    const level = toLevel(this.lastLevel) ?? toLevel(fields?.level) ?? Level.Info
    const target = this.#lastName() ?? textOf(fields?.name) ?? this.#target
    if (fields === undefined) recordLog(level, target, text.trimEnd())
    else this.#record(level, target, fields)
  }

  #record(level: Level, target: string, fields: Fields): void {
    const message = fields[this.#messageKey]
    let text = message === undefined ? '' : renderValue(message, MAX_MESSAGE_CHARS)
    const properties: Record<string, unknown> = Object.create(null)
    let isTagged = false
    for (const [key, value] of Object.entries(fields)) {
      if (key === this.#messageKey || this.#isKnown(key, value, level, target)) continue
      const stack = key === this.#errorKey ? stackOf(value) : undefined
      if (stack === undefined) {
        properties[key] = value
        isTagged = true
      } else {
        text = withStack(text, stack)
        for (const [member, detail] of Object.entries(value as Fields)) {
          if (member === 'type' || member === 'message' || member === 'stack') continue
          properties[`${key}.${member}`] = detail
          isTagged = true
        }
      }
    }
    recordLog(level, target, text, isTagged ? eventPropertySet(properties) : undefined)
  }

  /** Whether the event has the field's value anyway. */
  #isKnown(key: string, value: unknown, level: Level, target: string): boolean {
    if (key === 'time') return true
    if (key === 'level') return toLevel(value) === level
    if (key === 'name') return value === target
    if (key === 'pid') return value === process.pid
    return key === 'hostname' && value === this.#hostname
  }

  /** The name that the logger of the line was given, or the logger it is a child of. */
  #lastName(): string | undefined {
    const logger = this.lastLogger as { bindings?: () => Fields } | null | undefined
    if (typeof logger !== 'object' || logger === null) return undefined
    if (this.#names.has(logger)) return this.#names.get(logger)
    let name: string | undefined
    try {
      name = textOf(logger.bindings?.().name)
    } catch {
      // Bindings that a formatter has made unreadable: the line may have the name.
    }
    this.#names.set(logger, name)
    return name
  }
}

function parseFields(line: string): Fields | undefined {
  try {
    const fields: unknown = JSON.parse(line)
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields)
      ? (fields as Fields)
      : undefined
  } catch {
    return undefined
  }
}

/** Pino's levels are numbers that grow with severity; a formatter may have put names in their place. */
function toLevel(value: unknown): Level | undefined {
  if (typeof value === 'string') return parseLevel(value) || undefined
  if (typeof value !== 'number') return undefined
  if (value >= 60) return Level.Fatal
  if (value >= 50) return Level.Error
  if (value >= 40) return Level.Warn
  if (value >= 30) return Level.Info
  return value >= 20 ? Level.Debug : Level.Trace
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The stack of what pino's serializer has made of an error. */
function stackOf(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? textOf((value as Fields).stack) : undefined
}
