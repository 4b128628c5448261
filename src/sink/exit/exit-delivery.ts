import type { PostRequest } from '../../http/clients/upload-client.ts'

/** Sends requests while this thread is blocked. */
export interface BlockingDelivery {
  /** Whether there is no time left. */
  readonly expired: boolean
  /** Hands over a request. Its body may be empty afterwards. */
  send(request: PostRequest): void
  /** Blocks until everything is answered or the time is over; returns the statuses in the order sent, 0 for none. */
  wait(): number[]
  /** Lets go of everything, should the program go on. */
  close(): void
}
