import { Writable } from 'node:stream'
import { Level, type LevelName, parseLevel } from '../model/level.ts'
import { MAX_MESSAGE_CHARS } from '../tracing/log-stream.ts'
import { eventPropertySet } from '../tracing/property-set.ts'
import { recordLog } from '../tracing/record-log.ts'
import { renderValue } from '../tracing/render-value.ts'
import { withStack } from './with-stack.ts'

/** What winston's formats transform. */
export interface WinstonInfo {
  level: string
  message: unknown
  [key: string | symbol]: unknown
}

/** A format of winston's. */
export interface WinstonFormat {
  options?: object
  transform: (info: WinstonInfo, options?: unknown) => WinstonInfo | boolean
}

export interface MicromegasWinstonTransportOptions {
  /** Target of events that have no `label`. @defaultValue `winston` */
  readonly target?: string | undefined
  /** Least severe of the logger's levels that is recorded. @defaultValue the logger's own level */
  readonly level?: string | undefined
  /** Applied after the logger's format. @defaultValue none */
  readonly format?: WinstonFormat | undefined
  /** Records nothing. @defaultValue `false` */
  readonly silent?: boolean | undefined
  /** Records uncaught exceptions that winston handles. @defaultValue `false`: running telemetry records them itself */
  readonly handleExceptions?: boolean | undefined
  /** The same for unhandled rejections. @defaultValue `false` */
  readonly handleRejections?: boolean | undefined
  /** What levels of the logger's own are recorded as, and such as are to be recorded otherwise than documented. */
  readonly levels?: Readonly<Record<string, LevelName>> | undefined
}

/** Where winston keeps the level's name, however `level` has been coloured or padded. */
const LEVEL = Symbol.for('level')

/** The levels of winston's `npm`, `syslog` and `cli` sets. */
const KNOWN_LEVELS: Readonly<Record<string, Level>> = {
  emerg: Level.Fatal,
  alert: Level.Fatal,
  crit: Level.Fatal,
  fatal: Level.Fatal,
  error: Level.Error,
  warn: Level.Warn,
  warning: Level.Warn,
  notice: Level.Info,
  info: Level.Info,
  help: Level.Info,
  data: Level.Info,
  prompt: Level.Info,
  http: Level.Debug,
  verbose: Level.Debug,
  input: Level.Debug,
  debug: Level.Debug,
  silly: Level.Trace,
  trace: Level.Trace,
}

/** Fields of an info that the event has elsewhere. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['level', 'message', 'stack', 'cause', 'label', 'timestamp'])

/**
 * A transport for winston 3. Each event has the message as the logger's format left it (use `format.splat()` for `%s`),
 * with the stack and the causes of an error below; `label` (of `format.label`) as its target; every other field as a
 * property, `timestamp` excepted. Levels are those of winston's sets: `emerg`, `alert` and `crit` are fatal, `notice` is
 * info, `http` and `verbose` are debug, `silly` is trace, and unknown ones are info.
 *
 * winston is not loaded by this module: a transport is any writable stream of objects that has a `log` method.
 *
 * @example
 * ```ts
 * const log = winston.createLogger({ level: 'debug', transports: [new MicromegasWinstonTransport({ target: 'shop' })] })
 * ```
 */
export class MicromegasWinstonTransport extends Writable {
  // Names and types are winston's: it reads and sets them.
  level?: string
  format?: WinstonFormat
  silent?: boolean
  handleExceptions?: boolean
  handleRejections?: boolean
  /** Severity numbers by level, 0 the most severe; those of the logger, set when the transport is added to it. */
  levels: Readonly<Record<string, number>> = {}
  /** The logger, while the transport is one of its own. */
  parent: { readonly level?: string } | undefined = undefined
  readonly #target: string
  readonly #recordedAs: Readonly<Record<string, Level>>

  /** @throws `TypeError` when `levels` names a level that there is not. */
  constructor(options: MicromegasWinstonTransportOptions = {}) {
    super({ objectMode: true })
    this.#target = options.target ?? 'winston'
    this.#recordedAs = resolveLevels(options.levels ?? {})
    if (options.level !== undefined) this.level = options.level
    if (options.format !== undefined) this.format = options.format
    if (options.silent !== undefined) this.silent = options.silent
    if (options.handleExceptions !== undefined) this.handleExceptions = options.handleExceptions
    if (options.handleRejections !== undefined) this.handleRejections = options.handleRejections
    this.on('pipe', (logger) => {
      this.parent = logger as unknown as { readonly level?: string }
      this.levels = (logger as unknown as { readonly levels?: Record<string, number> }).levels ?? {}
    })
    this.on('unpipe', (logger) => {
      if ((logger as unknown) === this.parent) this.parent = undefined
    })
  }

  /** Records one info, whatever its level. winston calls it for exceptions, {@link _write} for the rest. */
  log(info: unknown, next: () => void): void {
    this.#record(info as WinstonInfo)
    next()
  }

  override _write(
    info: WinstonInfo,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    if (!this.#isWanted(info)) return callback()
    if (this.format === undefined) return this.log(info, callback)
    let formatted: WinstonInfo | boolean
    try {
      formatted = this.format.transform({ ...info }, this.format.options)
    } catch (error) {
      callback() // as winston's own transports do: the format's error is its caller's, the stream goes on
      throw error
    }
    if (typeof formatted === 'object') this.log(formatted, callback)
    else callback()
  }

  #isWanted(info: WinstonInfo): boolean {
    if (this.silent || (info.exception === true && !this.handleExceptions)) return false
    const level = this.level ?? this.parent?.level
    const bound = level === undefined ? undefined : this.levels[level]
    return bound === undefined || !(bound < this.levels[String(info[LEVEL])]!)
  }

  #record(info: WinstonInfo): void {
    const level = this.#recordedAs[String(info[LEVEL] ?? info.level)] ?? Level.Info
    const label = info.label
    const target = typeof label === 'string' && label !== '' ? label : this.#target
    if (info instanceof Error) {
      recordLog(level, target, renderValue(info, MAX_MESSAGE_CHARS), propertiesOf(info))
    } else if (info.exception === true || info.rejection === true) {
      // The stack is in the message; the rest describes the process and the machine at length.
      recordLog(level, target, renderValue(info.message, MAX_MESSAGE_CHARS))
    } else {
      recordLog(level, target, messageOf(info), propertiesOf(info))
    }
  }
}

function resolveLevels(levels: Readonly<Record<string, LevelName>>): Readonly<Record<string, Level>> {
  const resolved: Record<string, Level> = Object.assign(Object.create(null), KNOWN_LEVELS)
  for (const [name, recordedAs] of Object.entries(levels)) {
    const level = parseLevel(recordedAs)
    if (level === undefined || level === Level.Off) {
      throw new TypeError(
        `Cannot make a winston transport: level '${name}' is to be recorded as '${recordedAs}'`,
      )
    }
    resolved[name] = level
  }
  return resolved
}

function messageOf(info: WinstonInfo): string {
  const { message, stack, cause } = info
  let text = message === undefined ? '' : renderValue(message, MAX_MESSAGE_CHARS)
  if (typeof stack === 'string') text = withStack(text, stack)
  if (cause instanceof Error) text += `\ncaused by: ${renderValue(cause, MAX_MESSAGE_CHARS)}`
  return text
}

function propertiesOf(info: object): ReturnType<typeof eventPropertySet> | undefined {
  const properties: Record<string, unknown> = Object.create(null)
  let isTagged = false
  for (const key of Object.keys(info)) {
    if (OWN_FIELDS.has(key)) continue
    properties[key] = (info as WinstonInfo)[key]
    isTagged = true
  }
  return isTagged ? eventPropertySet(properties) : undefined
}
