import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Bytes of bodies in memory at a time, while they come and until they are stored: room for four of the largest that the
 * default takes. Each is there once as it came and, for a moment, once joined.
 */
const MIN_ROOM_BYTES = 400 * 1024 * 1024
/** While bodies wait for room, one of at least this size of which less than this comes in this time gives its room back. */
const PACE_BYTES = 64 * 1024
const PACE_MS = 5_000
/** A refused request is read on and thrown away for this long, so that its sender gets to read the answer. */
const LINGER_MS = 5_000

/** The request ended before its body did; there is nobody left to answer. */
export class RequestAborted extends Error {
  override readonly name: string = 'RequestAborted'
}

/** The body came so slowly that others had to wait for it. */
export class BodyTooSlow extends Error {
  override readonly name: string = 'BodyTooSlow'
}

export interface BodyReaderOptions {
  /** Longest body, in bytes. */
  readonly limit: number
  /** Bytes of bodies in memory at a time; one body more may be there, so that there is always one that can be finished. */
  readonly roomBytes?: number | undefined
  /** How long a body may hardly get on while others wait for room, in milliseconds. @defaultValue `5_000` */
  readonly paceMs?: number | undefined
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

interface Upload {
  bytes: number
  /** What had come at the last look at its pace. */
  mark: { readonly bytes: number; readonly atMs: number }
  /** Goes on with an upload that waits for room. */
  resume: (() => void) | undefined
  abandon: ((error: BodyTooSlow) => void) | undefined
}

/** Reads request bodies into memory, in bounded amounts. What has been received counts, not what may come. */
export class BodyReader {
  readonly #limit: number
  readonly #roomBytes: number
  readonly #paceMs: number
  readonly #clock: () => number
  /** In the order in which they began. */
  readonly #uploads = new Set<Upload>()
  #bytes = 0
  #paceTimer: NodeJS.Timeout | undefined

  constructor({ limit, roomBytes, paceMs = PACE_MS, clock }: BodyReaderOptions) {
    this.#limit = limit
    this.#roomBytes = roomBytes ?? Math.max(MIN_ROOM_BYTES, 4 * limit)
    this.#paceMs = paceMs
    this.#clock = clock
  }

  /** Bytes of bodies in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Hands the body on, or `undefined` when it is longer than the limit: at once when the request says so, else as soon as
   * the bytes have come. It counts as in memory until the promise that `use` returns is settled.
   *
   * @throws {@link RequestAborted}, {@link BodyTooSlow}, and what `use` throws.
   */
  async read<T>(request: IncomingMessage, use: (body: Uint8Array | undefined) => Promise<T>): Promise<T> {
    if (Number(request.headers['content-length'] ?? 0) > this.#limit) return use(undefined)
    const mark = { bytes: 0, atMs: this.#clock() }
    const upload: Upload = { bytes: 0, mark, resume: undefined, abandon: undefined }
    this.#uploads.add(upload)
    try {
      return await use(await this.#collect(request, upload))
    } finally {
      this.#uploads.delete(upload)
      this.#bytes -= upload.bytes
      this.#resumeWaiting()
    }
  }

  #collect(request: IncomingMessage, upload: Upload): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const onData = (chunk: Buffer): void => {
        upload.bytes += chunk.length
        this.#bytes += chunk.length
        if (upload.bytes > this.#limit) return settle(() => resolve(undefined))
        chunks.push(chunk)
        if (this.#hasRoom(upload)) return
        request.pause()
        upload.resume = () => request.resume()
        this.#watchPace()
      }
      const onEnd = (): void =>
        settle(() => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
      const onClose = (cause?: unknown): void =>
        settle(() => reject(new RequestAborted('the client went away in the middle of the body', { cause })))
      const settle = (end: () => void): void => {
        upload.resume = undefined
        upload.abandon = undefined
        request.off('data', onData).off('end', onEnd).off('close', onClose)
        end()
      }
      upload.abandon = (error) => settle(() => reject(error))
      if (request.destroyed && !request.readableEnded) return onClose()
      request.on('data', onData).on('end', onEnd).on('close', onClose)
      request.once('error', onClose) // stays: an error without a listener would end the process
    })
  }

  /** Whether an upload may take more. The oldest of all always may, so that one at least gets on. */
  #hasRoom(upload: Upload): boolean {
    return this.#bytes <= this.#roomBytes || this.#uploads.values().next().value === upload
  }

  #resumeWaiting(): void {
    for (const upload of this.#uploads) {
      if (!this.#hasRoom(upload)) break
      const { resume } = upload
      if (resume === undefined) continue
      upload.resume = undefined
      upload.mark = { bytes: upload.bytes, atMs: this.#clock() }
      resume()
    }
  }

  #watchPace(): void {
    if (this.#paceTimer !== undefined) return
    const now = this.#clock()
    for (const upload of this.#uploads) upload.mark = { bytes: upload.bytes, atMs: now }
    this.#paceTimer = setInterval(() => this.#checkPace(), this.#paceMs / 5).unref()
  }

  #checkPace(): void {
    const uploads = [...this.#uploads]
    if (uploads.every(({ resume }) => resume === undefined)) {
      clearInterval(this.#paceTimer)
      this.#paceTimer = undefined
      return
    }
    const now = this.#clock()
    for (const upload of uploads) {
      if (upload.resume !== undefined || now - upload.mark.atMs < this.#paceMs) continue
      const came = upload.bytes - upload.mark.bytes
      upload.mark = { bytes: upload.bytes, atMs: now }
      if (came >= PACE_BYTES || upload.bytes < PACE_BYTES) continue
      const reason = `only ${came} bytes of the body came in ${this.#paceMs} ms, and others waited for room`
      upload.abandon?.(new BodyTooSlow(reason))
    }
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
