import type { Writable } from 'node:stream'
import { platformClock } from '../../model/runtime/clock.ts'

/** A reader this far behind gets no more lines until it has caught up. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024

/**
 * Writes lines to a stream that belongs to the host. A reader that is slow or gone costs lines, which are counted, and
 * neither memory nor the process.
 */
export class LineWriter {
  readonly #stream: Writable
  #unwritten = 0
  #broken = false
  /** Writes whose outcome is not known. */
  #writing = 0

  constructor(stream: Writable) {
    this.#stream = stream
  }

  write(line: string): void {
    const stream = this.#stream
    if (this.#broken || !stream.writable) return
    if (stream.writableLength > MAX_BACKLOG_BYTES) {
      this.#unwritten++
      return
    }
    const missed = this.#unwritten === 0 ? '' : `… ${this.#unwritten} lines were not shown\n`
    this.#unwritten = 0
    this.#send(`${missed}${line}\n`)
  }

  /** Resolves once everything is written, or cannot be. */
  flush(): Promise<void> {
    if (this.#broken || !this.#stream.writable || this.#stream.writableLength === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#stream.once('close', resolve)
      this.#send('', () => {
        this.#stream.off('close', resolve)
        resolve()
      })
    })
  }

  #send(text: string, done?: () => void): void {
    const stream = this.#stream
    // A closed pipe is reported as an event, and without a listener ends the process. Only errors of our own writes are
    // ours to swallow: the host's keep their meaning, so the listener is there for as long as the write takes.
    if (this.#writing++ === 0) stream.on('error', ignore)
    stream.write(text, (error) => {
      if (error) this.#broken = true
      platformClock.soon(() => this.#written()) // the event comes after the callback
      done?.()
    })
  }

  #written(): void {
    if (--this.#writing === 0) this.#stream.off('error', ignore)
  }
}

function ignore(): void {}
