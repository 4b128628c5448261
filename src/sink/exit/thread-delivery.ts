import type { Worker } from 'node:worker_threads'
import type { Env } from '../../config/process-env.ts'
import type { PostRequest } from '../../http/clients/upload-client.ts'
import type { ProxyRoute } from '../../http/proxy/proxy.ts'
import { builtin } from '../../model/runtime/builtins.ts'
import type { Clock } from '../../model/runtime/clock.ts'
import { MAX_TIMER_MS } from '../../model/text/durations.ts'
import { readTicks } from '../../tracing/clock.ts'
import type { BlockingDelivery } from './exit-delivery.ts'
import { type ExitJob, type ExitRequest, MAX_EXIT_ATTEMPT_MS } from './exit-job.ts'
import { EXIT_WORKER_SOURCE } from './exit-worker-source.ts'

export interface ThreadDeliveryOptions {
  readonly service: URL
  readonly proxy: ProxyRoute | undefined
  /** Requests at once, at most. */
  readonly concurrency: number
  /** Requests that will be sent, at most. */
  readonly capacity: number
  /** Whether bodies are of use afterwards: they are copied then, and moved to the other thread otherwise. */
  readonly keepBodies: boolean
  readonly timeoutMs: number
  readonly clock: Clock
}

/** Bodies of fewer bytes are copied: small ones may share their memory with others. */
const MIN_MOVED_BYTES = 64 * 1024
/** Timers of the other thread run somewhat longer than the delivery, and must not overflow. */
const MAX_DELIVERY_MS = MAX_TIMER_MS - 60_000

/**
 * Sends requests while this thread is blocked, for code that is the last to run in a process: an `exit` handler, in which
 * no promise and no event comes any more. The requests are sent by a thread of their own, and this one waits for it; it
 * takes about 50 ms to start.
 */
export class ThreadDelivery implements BlockingDelivery {
  /** How many are finished. */
  readonly #control: Int32Array = new Int32Array(new SharedArrayBuffer(4))
  /** HTTP status by request; 0 while there is none. */
  readonly #statuses: Int32Array
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #keepBodies: boolean
  #count = 0

  /** @throws What starting a thread throws, such as under Node's permission model. */
  constructor(options: ThreadDeliveryOptions) {
    const { service, proxy, concurrency, capacity, keepBodies, timeoutMs, clock } = options
    this.#keepBodies = keepBodies
    this.#clock = clock
    const limitMs = Math.min(timeoutMs, MAX_DELIVERY_MS)
    this.#deadlineMs = clock.now() + limitMs
    this.#statuses = new Int32Array(new SharedArrayBuffer(4 * Math.max(1, capacity)))
    const job: ExitJob = {
      service: service.href,
      proxy: proxy?.url.href,
      concurrency,
      attemptTimeoutMs: Math.min(MAX_EXIT_ATTEMPT_MS, limitMs),
      deadlineTicks: readTicks() + BigInt(Math.ceil(limitMs * 1e6)),
      control: this.#control,
      statuses: this.#statuses,
    }
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    this.#worker = new Worker(EXIT_WORKER_SOURCE, {
      eval: true,
      // Neither a loader nor a preload of the host: it could start telemetry again, in every thread.
      execArgv: [],
      env: withoutNodeOptions(process.env),
      workerData: job,
    })
    this.#worker.unref()
    this.#worker.on('error', () => {}) // its requests then count as not delivered
  }

  get expired(): boolean {
    return this.#clock.now() >= this.#deadlineMs
  }

  /** It is sent at once. A large body is empty afterwards, unless bodies are to be kept. */
  send({ path, headers, body }: PostRequest): void {
    const movable = !this.#keepBodies && body.byteLength >= MIN_MOVED_BYTES
    const moved = movable && builtin('node:util/types').isArrayBuffer(body.buffer) ? [body.buffer] : []
    const request: ExitRequest = { index: this.#count++, path, headers, body }
    this.#worker.postMessage(request, moved)
  }

  wait(): number[] {
    for (;;) {
      const finished = Atomics.load(this.#control, 0)
      const leftMs = this.#deadlineMs - this.#clock.now()
      if (finished >= this.#count || leftMs <= 0) break
      Atomics.wait(this.#control, 0, finished, leftMs)
    }
    return Array.from({ length: this.#count }, (_, index) => Atomics.load(this.#statuses, index))
  }

  close(): void {
    void this.#worker.terminate()
  }
}

function withoutNodeOptions({ NODE_OPTIONS: _, ...env }: Env): Env {
  return env
}
