import { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { Level } from '../../model/level.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import { recordLog } from '../../tracing/record-log.ts'
import { readMembers } from './json-members.ts'
import { type LineSource, recordMembers, type StreamKeys } from './line-event.ts'
import { LoggerReader } from './logger-traits.ts'

/** Longer lines are not parsed, for that would hold up the process; they are recorded as text. */
const MAX_LINE_CHARS = 1024 * 1024
/** Asks pino and its multistream to say, before each line, which logger and level it is from. */
const METADATA: unique symbol = Symbol.for('pino.metadata') as never

type WriteCallback = (error: Error | null | undefined) => void

export interface StreamConfig {
  readonly target: string
  readonly keys: StreamKeys
  readonly recordedAs: ReadonlyMap<string, Level>
}

/**
 * Lines that a logger of this thread writes are recorded at once and never refused, not even after `end()`: the stream's
 * own machinery is for what is piped into it.
 */
export class PinoStream extends Writable {
  readonly [METADATA] = true
  // Set by pino before each line, and cleared after it: a line from elsewhere is not the logger's, and what was logged
  // is not to be kept alive.
  lastLevel: unknown = undefined
  lastLogger: unknown = undefined
  lastTime: unknown = undefined
  lastObj: unknown = undefined
  lastMsg: unknown = undefined
  readonly #config: StreamConfig
  readonly #loggers: LoggerReader
  readonly #decoder = new StringDecoder('utf8')
  /** The beginning of a line whose end has not come yet. */
  #pending = ''

  constructor(config: StreamConfig) {
    super({ decodeStrings: false })
    this.#config = config
    this.#loggers = new LoggerReader(config.recordedAs)
  }

  override write(chunk: unknown, callback?: WriteCallback): boolean
  override write(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean
  override write(
    chunk: unknown,
    encoding?: BufferEncoding | WriteCallback,
    callback?: WriteCallback,
  ): boolean {
    const { lastLevel, lastLogger, lastTime } = this
    this.lastLevel = undefined
    this.lastLogger = undefined
    this.lastObj = undefined
    this.lastMsg = undefined
    if (lastLogger === undefined || typeof chunk !== 'string') {
      return super.write(chunk, encoding as BufferEncoding, callback)
    }
    const traits = this.#loggers.traitsOf(lastLogger)
    const level = traits.levels.get(lastLevel) ?? this.#loggers.levelOf(lastLevel)
    const target = this.#loggers.nameOf(lastLogger) ?? this.#config.target
    if (level === undefined || level.level <= dispatch.filters.interopMaxLevelOf(target)) {
      this.#record(chunk, { level, levelJson: String(lastLevel), target, timeJson: lastTime, traits })
    }
    return true
  }

  override _write(chunk: string | Buffer, encoding: BufferEncoding, callback: () => void): void {
    const isText = typeof chunk === 'string' && /^utf-?8$/i.test(encoding)
    this.#take(isText ? chunk : this.#decoder.write(Buffer.from(chunk as string, encoding)))
    callback()
  }

  override _final(callback: () => void): void {
    this.#take(this.#decoder.end())
    this.#recordPending()
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#recordPending()
    callback(error)
  }

  /** Chunks break anywhere. A JSON object that is whole does not wait for the end of its line. */
  #take(text: string): void {
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#pending += text.slice(start, end)
      this.#recordPending()
      start = end + 1
    }
    const rest = text.slice(start)
    if (this.#pending === '' && rest.length <= MAX_LINE_CHARS && readMembers(rest) !== undefined) {
      this.#record(rest, undefined)
    } else if (this.#pending.length <= MAX_LINE_CHARS) {
      this.#pending += rest // what is longer is recorded cut anyway
    }
  }

  #recordPending(): void {
    const line = this.#pending
    this.#pending = ''
    if (line.trimEnd() !== '') this.#record(line, undefined)
  }

  #record(line: string, source: LineSource | undefined): void {
    const { keys, target } = this.#config
    const members = line.length > MAX_LINE_CHARS ? undefined : readMembers(line)
    if (members !== undefined) recordMembers(members, source, { keys, target, loggers: this.#loggers })
    else recordLog(source?.level?.level ?? Level.Info, source?.target ?? target, line.trimEnd())
  }
}
