import type { IncomingMessage, ServerResponse } from 'node:http'

/** Bodies up to this size are taken as they come; of longer ones only a few are in memory at a time. */
const SMALL_BODY_BYTES = 1024 * 1024
/** 4 bodies of 100 MiB, each once as chunks and once joined, are 800 MiB at worst. */
const MAX_LARGE_BODIES = 4
/** A refused request is read on and thrown away for this long, so that its sender gets to read the answer. */
const LINGER_MS = 5_000

/** The request ended before its body did; there is nobody left to answer. */
export class RequestAborted extends Error {
  override readonly name: string = 'RequestAborted'
}

/** Reads request bodies into memory, in bounded numbers. */
export class BodyReader {
  readonly #limit: number
  #largeBodies = 0
  readonly #waiting: (() => void)[] = []

  /** @param limit - Longest body, in bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * @returns The body, or `undefined` when it is longer than the limit: at once when the request says so, else as soon
   * as the bytes have come.
   * @throws {@link RequestAborted}
   */
  async read(request: IncomingMessage): Promise<Uint8Array | undefined> {
    if (Number(request.headers['content-length'] ?? 0) > this.#limit) return undefined
    const chunks: Buffer[] = []
    let length = 0
    let holdsSlot = false
    try {
      // Not destroyed: the answer still has to go out on this connection.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        length += chunk.length
        if (length > this.#limit) return undefined
        chunks.push(chunk)
        if (length > SMALL_BODY_BYTES && !holdsSlot) {
          await this.#takeSlot()
          holdsSlot = true
        }
      }
      return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)
    } catch (error) {
      if (request.destroyed && !request.complete) {
        throw new RequestAborted('the client went away in the middle of the body', { cause: error })
      }
      throw error
    } finally {
      if (holdsSlot) this.#giveSlot()
    }
  }

  #takeSlot(): Promise<void> | undefined {
    if (this.#largeBodies < MAX_LARGE_BODIES) {
      this.#largeBodies += 1
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #giveSlot(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#largeBodies -= 1
    else next()
  }
}

/**
 * For answers that go out before the body was read: reads the rest and throws it away, for a limited time. Cut at once,
 * the connection would be reset and the client might never see the answer.
 */
export function boundUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    if (request.complete) return
    request.resume()
    const timer = setTimeout(() => {
      if (!request.complete) request.socket.destroy()
    }, LINGER_MS).unref()
    request.once('close', () => clearTimeout(timer))
  })
}
