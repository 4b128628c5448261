import { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { readMembers } from './json-members.ts'
import { LineRecorder, type LineRecorderConfig, MAX_LINE_CHARS } from './line-recorder.ts'

/** On streams of any copy of this package: what is written to them is recorded. */
export const RECORDS: unique symbol = Symbol.for('micromegas.pino.records')
/** Asks pino and its multistream to say, before each line, which logger and level it is from. */
const METADATA: unique symbol = Symbol.for('pino.metadata') as never

type WriteCallback = (error: Error | null | undefined) => void

/**
 * Lines that a logger of this thread writes are recorded at once and never refused, not even after `end()`: the stream's
 * own machinery is for what is piped into it.
 */
export class PinoStream extends Writable {
  readonly [METADATA] = true
  readonly [RECORDS] = true
  // Set by pino before each line, and cleared after it: a line from elsewhere is not the logger's, and what was logged
  // is not to be kept alive.
  lastLevel: unknown = undefined
  lastLogger: unknown = undefined
  lastTime: unknown = undefined
  lastObj: unknown = undefined
  lastMsg: unknown = undefined
  readonly #lines: LineRecorder
  readonly #decoder = new StringDecoder('utf8')
  /** The beginning of a line whose end has not come yet. */
  #pending = ''

  constructor(config: LineRecorderConfig) {
    super({ decodeStrings: false })
    this.#lines = new LineRecorder(config)
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
    this.#lines.recordOf(lastLogger, lastLevel, lastTime, chunk)
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
      this.#lines.record(rest)
    } else if (this.#pending.length <= MAX_LINE_CHARS) {
      this.#pending += rest // what is longer is recorded cut anyway
    }
  }

  #recordPending(): void {
    const line = this.#pending
    this.#pending = ''
    if (line.trimEnd() !== '') this.#lines.record(line)
  }
}
