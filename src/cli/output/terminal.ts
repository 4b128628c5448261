import { once } from 'node:events'
import type { Env } from '../../config/process-env.ts'
import { UsageError } from '../usage-error.ts'

/** A process whose reader has gone (`| head`) has nobody to write for: it ends without a word. */
export class ReaderGoneError extends Error {
  override readonly name: string = 'ReaderGoneError'
}

/** The standard output as a place for data: waits for a slow reader, and tells of one that has gone. */
export class DataOutput {
  #gone = false

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'EOF' || error.code === 'ERR_STREAM_DESTROYED')
        this.#gone = true
      else throw error
    })
  }

  get isTerminal(): boolean {
    return process.stdout.isTTY === true
  }

  /** Characters of a line, where there is a terminal. */
  get columns(): number | undefined {
    return this.isTerminal ? process.stdout.columns || undefined : undefined
  }

  /** @throws {@link ReaderGoneError} when nobody reads any more. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.#gone) throw new ReaderGoneError()
    if (data.length === 0) return
    if (!process.stdout.write(data)) {
      await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]).catch(() => {})
    }
    if (this.#gone) throw new ReaderGoneError()
  }
}

/**
 * `--color`: whether to colour; `undefined` leaves it to the environment.
 *
 * @throws {@link UsageError} for anything but `always`, `never` and `auto`.
 */
export function parseColor(when: string): boolean | undefined {
  if (when === 'always') return true
  if (when === 'never') return false
  if (when === 'auto') return undefined
  throw new UsageError(`Cannot use --color ${when}: expected always, never or auto`)
}

/** Whether to colour what goes to a stream: `--color` wins over `NO_COLOR`, `FORCE_COLOR` and the terminal. */
export function wantsColor(stream: NodeJS.WriteStream, flag: boolean | undefined, env: Env): boolean {
  if (flag !== undefined) return flag
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** A line of progress, rewritten in place; nothing where the error output is not a terminal. */
export class Progress {
  #shown = false

  show(text: string): void {
    if (process.stderr.isTTY !== true) return
    process.stderr.write(`\r\u001b[K${text}`)
    this.#shown = true
  }

  clear(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K')
    this.#shown = false
  }
}
