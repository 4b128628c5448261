import type { StatusObject } from './grpc-js.ts'

/** The next thing that a call brings: a message, or its end. */
export type Arrival = { readonly message: Buffer } | { readonly end: StatusObject }

/**
 * How far ahead of its reader a call may run, besides what the connection itself holds. gRPC drops what was not taken from
 * it when a call ends with an error, so small messages are taken as they come: the last ones before an error matter most.
 */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024

/** Messages of a call on their way to whoever reads them. */
export class Inbox {
  readonly #messages: Buffer[] = []
  #unreadBytes = 0
  /** Asks for another message; called when there is room for it. */
  readonly #request: () => void
  #requested = false
  #end: { readonly end: StatusObject } | { readonly failure: unknown } | undefined
  #waiting: { resolve(arrival: Arrival): void; reject(reason: unknown): void } | undefined

  constructor(request: () => void) {
    this.#request = request
  }

  /** Lets messages come. */
  start(): void {
    this.#ask()
  }

  push(message: Buffer): void {
    this.#requested = false
    if (this.#waiting === undefined) {
      this.#messages.push(message)
      this.#unreadBytes += message.length
    } else {
      this.#waiting.resolve({ message })
      this.#waiting = undefined
    }
    this.#ask()
  }

  /** What came before is still read; then comes the end. */
  finish(end: StatusObject): void {
    this.#end ??= { end }
    this.#settle()
  }

  /** Ends at once; what came before is of no interest any more. */
  fail(reason: unknown): void {
    this.#end = { failure: reason ?? new Error('aborted') }
    this.#messages.length = 0
    this.#settle()
  }

  next(): Promise<Arrival> {
    const message = this.#messages.shift()
    if (message !== undefined) {
      this.#unreadBytes -= message.length
      this.#ask()
      return Promise.resolve({ message })
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#settle()
    })
  }

  #settle(): void {
    if (this.#end === undefined || this.#waiting === undefined) return
    if ('end' in this.#end) this.#waiting.resolve(this.#end)
    else this.#waiting.reject(this.#end.failure)
    this.#waiting = undefined
  }

  #ask(): void {
    if (this.#requested || this.#end !== undefined || this.#unreadBytes > MAX_UNREAD_BYTES) return
    this.#requested = true
    this.#request()
  }
}
