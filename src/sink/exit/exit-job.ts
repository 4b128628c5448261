import type { BackoffPolicy } from '../upload/shared-backoff.ts'

/** What the thread that sends at the end of a process is given. */
export interface ExitJob {
  readonly service: string
  /** With its credentials. */
  readonly proxy: string | undefined
  /** Requests at once, at most. */
  readonly concurrency: number
  readonly attemptTimeoutMs: number
  /** Nanoseconds of `process.hrtime`, which all threads share. */
  readonly deadlineTicks: bigint
  /** How many requests are finished. */
  readonly control: Int32Array
  /** HTTP status by request; 0 while there is none. */
  readonly statuses: Int32Array
}

/** A request, as it is handed over. */
export interface ExitRequest {
  readonly index: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Waits between attempts at the end of a process, where time is short. */
export const EXIT_BACKOFF: BackoffPolicy = { baseDelayMs: 50, maxDelayMs: 500 }
/** One attempt, so that a request which is never answered does not take the whole time. */
export const MAX_EXIT_ATTEMPT_MS = 2_000
