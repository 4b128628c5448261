import { isArrayBuffer } from 'node:util/types'
import { Worker } from 'node:worker_threads'
import type { PostRequest } from '../../http/connection.ts'
import type { Endpoint } from '../../http/endpoint.ts'
import { type ProxyRoute, proxyHeaders } from '../../http/proxy.ts'
import { MAX_TIMER_MS } from '../../model/durations.ts'
import { EXIT_WORKER_SOURCE } from './exit-worker-source.ts'

export interface ExitDeliveryOptions {
  readonly endpoint: Endpoint
  readonly proxy: ProxyRoute | undefined
  /** Requests at once, at most. */
  readonly concurrency: number
  /** Requests that will be sent, at most. */
  readonly capacity: number
  /** Whether bodies are of use afterwards: they are copied then, and moved to the other thread otherwise. */
  readonly keepBodies: boolean
  readonly timeoutMs: number
}

/** Bodies of fewer bytes are copied: small ones may share their memory with others. */
const MIN_MOVED_BYTES = 64 * 1024
/** Timers of the other thread run somewhat longer than the delivery, and must not overflow. */
const MAX_DELIVERY_MS = MAX_TIMER_MS - 60_000
/** One attempt, so that a request which is never answered does not take the whole time. */
const MAX_ATTEMPT_MS = 2_000

/**
 * Sends requests while this thread is blocked, for code that is the last to run in a process: an `exit` handler, in which
 * no promise and no event comes any more. The requests are sent by a thread of their own, and this one waits for it; it
 * takes about 50 ms to start.
 */
export class ExitDelivery {
  /** How many are finished. */
  readonly #control: Int32Array = new Int32Array(new SharedArrayBuffer(4))
  /** HTTP status by request; 0 while there is none. */
  readonly #statuses: Int32Array
  readonly #worker: Worker
  readonly #deadlineMs: number
  readonly #keepBodies: boolean
  #count = 0

  /** @throws What starting a thread throws, such as under Node's permission model. */
  constructor({ endpoint, proxy, concurrency, capacity, keepBodies, timeoutMs }: ExitDeliveryOptions) {
    const limitMs = Math.min(timeoutMs, MAX_DELIVERY_MS)
    this.#keepBodies = keepBodies
    this.#deadlineMs = performance.now() + limitMs
    this.#statuses = new Int32Array(new SharedArrayBuffer(4 * Math.max(1, capacity)))
    this.#worker = new Worker(EXIT_WORKER_SOURCE, {
      eval: true,
      // Neither a loader nor a preload of the host: it could start telemetry again, in every thread.
      execArgv: [],
      env: withoutNodeOptions(process.env),
      workerData: {
        service: address(endpoint.insertUrls.block),
        proxy: proxy === undefined ? undefined : { ...address(proxy.url), headers: proxyHeaders(proxy.url) },
        concurrency,
        attemptTimeoutMs: Math.min(MAX_ATTEMPT_MS, limitMs),
        deadlineNs: process.hrtime.bigint() + BigInt(Math.ceil(limitMs * 1e6)),
        control: this.#control,
        statuses: this.#statuses,
      },
    })
    this.#worker.unref()
    this.#worker.on('error', () => {}) // its requests then count as not delivered
  }

  /** Whether there is any time left. */
  get expired(): boolean {
    return performance.now() >= this.#deadlineMs
  }

  /** Hands over a request; it is sent at once. A large body is empty afterwards, unless bodies are to be kept. */
  send({ path, headers, body }: PostRequest): void {
    const movable = !this.#keepBodies && body.byteLength >= MIN_MOVED_BYTES
    const moved = movable && isArrayBuffer(body.buffer) ? [body.buffer] : []
    this.#worker.postMessage({ index: this.#count++, path, headers, body }, moved)
  }

  /** Blocks until everything is answered or the time is over; returns the statuses in the order sent, 0 for none. */
  wait(): number[] {
    for (;;) {
      const finished = Atomics.load(this.#control, 0)
      const leftMs = this.#deadlineMs - performance.now()
      if (finished >= this.#count || leftMs <= 0) break
      Atomics.wait(this.#control, 0, finished, leftMs)
    }
    return Array.from({ length: this.#count }, (_, index) => Atomics.load(this.#statuses, index))
  }

  /** Ends the thread, should the program go on. */
  close(): void {
    void this.#worker.terminate()
  }
}

function address(
  url: URL,
): Record<'protocol' | 'origin' | 'host' | 'hostname' | 'port' | 'authority', string> {
  const { protocol, origin, host } = url
  const port = url.port || (protocol === 'https:' ? '443' : '80')
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1') // sockets want an IPv6 address bare
  return { protocol, origin, host, hostname, port, authority: `${url.hostname}:${port}` }
}

function withoutNodeOptions({ NODE_OPTIONS: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env
}
