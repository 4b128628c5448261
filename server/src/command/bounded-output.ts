import type { PrintTarget } from '../options.ts'

/** The parts of a stream that tell how it gets on; a target of another kind has none of them. */
interface Target extends PrintTarget {
  readonly writableLength?: number
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

export interface BoundedOutputOptions {
  /** Told once, when nothing can be written any more: the reader has gone, as with `| head`. */
  readonly onEnd?: ((reason: string) => void) | undefined
}

/** Bytes that may wait for a slow reader; what comes beyond is counted instead. */
const MAX_PENDING_BYTES = 1024 * 1024

/**
 * Writes lines to a stream that nobody need read: a reader that is slow does not make the process grow, one that goes away
 * does not end it.
 */
export class BoundedOutput implements PrintTarget {
  readonly #target: Target
  readonly #onEnd: ((reason: string) => void) | undefined
  #isEnded = false
  #lostLines = 0

  constructor(target: PrintTarget, options: BoundedOutputOptions = {}) {
    this.#target = target
    this.#onEnd = options.onEnd
    this.#target.on?.('error', this.#end)
  }

  /** @param text - Whole lines. */
  write(text: string): void {
    if (this.#isEnded) return
    if ((this.#target.writableLength ?? 0) > MAX_PENDING_BYTES) {
      this.#lostLines += text.split('\n').length - 1
      return
    }
    const lost = this.#lostLines
    this.#lostLines = 0
    const notice =
      lost === 0 ? '' : `… ${lost} lines are missing here: they came faster than they were read\n`
    try {
      this.#target.write(notice + text)
    } catch (error) {
      this.#end(error)
    }
  }

  hasColors(): boolean {
    return this.#target.hasColors?.() === true
  }

  /** Lets go of the stream. */
  close(): void {
    this.#isEnded = true
    this.#target.off?.('error', this.#end)
  }

  readonly #end = (error: unknown): void => {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#onEnd?.(error instanceof Error ? error.message : String(error))
  }
}
