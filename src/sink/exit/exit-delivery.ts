/*
 * The delivery at the end, in one page. In an `exit` handler no promise and no event comes any more: what is not sent while the
 * handler runs is lost, unless a spool has it.
 *
 * The way. `HttpEventSink.shutdownSync` seals what is left and asks `ExitRoute` for a way; `uploadNow` sends over it all that is
 * not on disk, the most important first, and gives each item its end. Two ways implement `BlockingDelivery`:
 * - `ThreadDelivery`, the usual one: a worker thread makes the requests (`exit-worker.ts`, bundled into a text by the build, so
 *   that it loads no file and no loader of the host), while this thread waits by `Atomics.wait` on shared memory.
 * - `SocketDelivery`, where Node's permission model allows no threads: a socket whose descriptor is written and read like a file,
 *   over plain http, one request after the other.
 * Where neither is possible, that is told at the start, not at the end.
 *
 * What always holds.
 * - The wait ends at the deadline (`shutdownTimeoutMs`), by this thread's own clock, whatever the other thread does.
 * - Large bodies are moved to the other thread, not copied, unless the program may go on.
 * - Credentials are what the decorator gives at once, else those that were last good: nothing asynchronous can be waited for.
 * - An answer means here what it means while the service runs: `classifyResponse` decides in both.
 * - A request without an answer is tried again until the deadline, with 50 to 500 ms between; one attempt takes 2 s at most.
 * - Blocks are not compressed: that would need the thread pool.
 *
 * What becomes of what is left:
 * - `process.exit()`, a return from main, an uncaught error: delivered until the deadline; the rest is in the spool, or counted
 *   and told as dropped by the shutdown.
 * - a signal that the program does not handle: as above, then the process ends by that signal.
 * - SIGKILL, a crash of Node, out of memory: nothing runs. What the spool has is delivered by the next process; all else that was
 *   not uploaded is lost, at most a flush period of part-filled blocks and the queue.
 * - a thread that cannot be started at that moment: the error is told, and the items count as not delivered.
 */

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
