import type { RequestDecoratorFactory } from '../auth/request-decorator.ts'
import { canUseSockets } from '../http/clients/event-loop.ts'
import { withoutTracing } from '../http/clients/suppress-tracing.ts'
import type { Transport, TransportOptions } from '../http/clients/transport.ts'
import { waitUntil } from '../http/wait-until.ts'
import type { DeliveryReport, EventSink, FlushOptions, SealedBlock } from '../model/event-sink.ts'
import { isError } from '../model/kinds.ts'
import type { ProcessInfo } from '../model/process-info.ts'
import { builtin } from '../model/runtime/builtins.ts'
import { type Clock, platformClock } from '../model/runtime/clock.ts'
import { isPermitted } from '../model/runtime/permission.ts'
import { toTimerMs } from '../model/text/durations.ts'
import { errorMessage } from '../model/text/error-message.ts'
import type { ExitRoute } from './exit/exit-route.ts'
import { uploadNow } from './exit/exit-upload.ts'
import type { HttpEventSinkConfig, HttpEventSinkOptions } from './http-event-sink-options.ts'
import { makeHttpParts } from './http-parts.ts'
import type { Notices } from './notices.ts'
import type { SinkStats } from './sink-stats.ts'
import type { SpoolKeeper } from './spool/spool-keeper.ts'
import type { DropCount, LedgerWatch } from './upload/delivery-ledger.ts'
import type { Credentials } from './upload/upload-credentials.ts'
import type { UploadPipeline } from './upload/upload-pipeline.ts'

export type { BlocksRetryOptions, HttpEventSinkOptions, RetryOptions } from './http-event-sink-options.ts'
export type { SinkState, SinkStats } from './sink-stats.ts'
export type { SpoolStats } from './spool/spool.ts'
export type { DropCount, KindCount } from './upload/delivery-ledger.ts'
export type { DropReason } from './upload/outcome.ts'

/** True for the sinks of any copy of this package: the ESM and the CommonJS build may meet in one process. */
export function isHttpEventSink(sink: EventSink): sink is HttpEventSink {
  const { takeDrops, stats } = sink as Partial<HttpEventSink>
  return typeof takeDrops === 'function' && typeof stats === 'function'
}

/** What tests give a sink instead of the platform's. @internal */
export interface SinkPlatform {
  readonly clock?: Clock
  readonly loadUndici?: TransportOptions['loadUndici']
  readonly busyRequests?: TransportOptions['busyRequests']
}

/** While somebody waits in a flush, a service that is away is asked again after no more than this. */
const FLUSH_MAX_DELAY_MS = 1_000
/** No wait between attempts is longer than this during a shutdown, and in the flush before it. */
const DRAIN_MAX_DELAY_MS = 500
/** Part of a shutdown's time kept for closing connections; at most a tenth of it. */
const CLOSE_MS = 200
/** The same with a spool, whose files are written in that time; at most a fifth of it. */
const SPOOL_MS = 1_000

/**
 * Uploads blocks to a Micromegas ingestion service.
 *
 * Blocks wait in a queue with a byte budget, in order of importance (process and stream metadata, logs, metrics, spans
 * and images); a few are posted at once. What fails for reasons that may pass is tried again for as long as there is room
 * to hold it, with one backoff for the whole sink. A block keeps its id and its bytes over all attempts, and the server
 * stores an id once, so that every block is stored exactly once.
 *
 * It never throws into the host after its construction, never keeps the process alive except while a `flush()` or a
 * `shutdown()` is waited for, and its own requests are not traced.
 *
 * @example
 * ```ts
 * await using sink = new HttpEventSink('http://localhost:9000', {}, () => ApiKeyRequestDecorator.fromEnv())
 * ```
 */
export class HttpEventSink implements EventSink, AsyncDisposable {
  readonly #config: HttpEventSinkConfig
  readonly #clock: Clock
  readonly #notices: Notices
  readonly #credentials: Credentials
  readonly #transport: Transport
  readonly #pipeline: UploadPipeline
  readonly #exit: ExitRoute
  readonly #spool: SpoolKeeper | undefined
  #closed = false
  #stopped: Promise<DeliveryReport> | undefined

  /**
   * @param url - Base URL of the service: http or https, with or without a path and a trailing slash.
   * @param decoratorFactory - Makes what adds credentials to requests; called here, once.
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the URL, an option or the spool directory cannot be used;
   * and whatever the factory throws.
   */
  constructor(url: string | URL, options?: HttpEventSinkOptions, decoratorFactory?: RequestDecoratorFactory)
  /** @internal */
  constructor(
    url: string | URL,
    options: HttpEventSinkOptions | undefined,
    decoratorFactory: RequestDecoratorFactory | undefined,
    platform: SinkPlatform,
  )
  constructor(
    url: string | URL,
    options: HttpEventSinkOptions = {},
    decoratorFactory?: RequestDecoratorFactory,
    { clock = platformClock, ...transport }: SinkPlatform = {},
  ) {
    const parts = makeHttpParts({ url, options, decoratorFactory, clock, transport, isolate })
    this.#clock = clock
    this.#config = parts.config
    this.#notices = parts.notices
    this.#credentials = parts.credentials
    this.#transport = parts.transport
    this.#exit = parts.exit
    this.#pipeline = parts.pipeline
    this.#spool = parts.spool
    this.#tellLimitations(parts.compressionError)
  }

  onStartup(process: ProcessInfo): void {
    this.#pipeline.startup(process)
  }

  onBlock(block: SealedBlock): void {
    if (this.#closed) this.#pipeline.refuse(block, 'closed')
    else this.#pipeline.accept(block)
  }

  /**
   * Sends the blocks queued when it is called and waits for the answers; what is queued later is not waited for. Keeps the
   * process alive while it waits. Never rejects.
   *
   * @param options.signal - Ends the waiting; without it that is done by the option `flushTimeoutMs`. What is unsent then
   * stays queued and counts as pending.
   * @param options.final - The process is about to end: while this waits, no wait between attempts is longer than half a
   * second, whatever the server asked for.
   */
  async flush(options: FlushOptions = {}): Promise<DeliveryReport> {
    const { signal, final = false } = options
    const { ledger, scheduler } = this.#pipeline
    const watch = ledger.watch()
    const done = isolate(() =>
      final ? scheduler.hurry(DRAIN_MAX_DELAY_MS) : scheduler.expedite(FLUSH_MAX_DELAY_MS),
    )
    const { flushTimeoutMs, shutdownTimeoutMs } = this.#config
    await this.#uploadIfStuck(Math.min(flushTimeoutMs, shutdownTimeoutMs))
    await waitUntil(this.#clock, watch.done, signal === undefined ? flushTimeoutMs : undefined, signal)
    done()
    return watch.report()
  }

  /**
   * Sends what is queued, whatever the backoff, then stops for good; what is not delivered in time is counted as dropped.
   * Ends within the time given even if the server accepts and never answers, and leaves no connection and no timer. Every
   * call returns the same promise. Never rejects.
   *
   * @param options.timeoutMs - Milliseconds; `Infinity` is the longest time a timer takes, 24.8 days.
   * @defaultValue the option `shutdownTimeoutMs`
   */
  shutdown(options: { readonly timeoutMs?: number | undefined } = {}): Promise<DeliveryReport> {
    this.#stopped ??= this.#stop(toTimerMs(options.timeoutMs, this.#config.shutdownTimeoutMs))
    return this.#stopped
  }

  /**
   * Sends what is queued for an `exit` handler, where no promise runs any more: blocks this thread, in most cases for less
   * than 100 ms, while another one sends. Blocks that come later wait for {@link shutdownSync}. Never throws.
   *
   * @param timeoutMs - Longest time it may take; what is not delivered by then is counted as dropped.
   */
  flushSync(timeoutMs: number): void {
    this.#pipeline.scheduler.stop()
    this.#uploadNow(timeoutMs - (this.#spool === undefined ? 0 : this.#reserveMs(timeoutMs)))
    this.#giveUp()
  }

  /**
   * {@link shutdown} for an `exit` handler, as {@link flushSync}. A shutdown that is under way is brought to its end. Never
   * throws.
   *
   * @param timeoutMs - Longest time it may take; with 0 what is left is counted as dropped.
   */
  shutdownSync(timeoutMs: number): void {
    this.#closed = true
    const limitMs = toTimerMs(timeoutMs, this.#config.shutdownTimeoutMs)
    const watch = this.#pipeline.ledger.watch()
    this.flushSync(limitMs)
    this.#release()
    this.#stopped ??= this.#close(watch)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }

  /** What the sink has done so far. */
  stats(): SinkStats {
    const { ledger, queue, scheduler, attempts, failedAttempts, state } = this.#pipeline
    return {
      state: this.#closed ? 'closed' : state,
      enqueued: ledger.enqueued,
      delivered: ledger.delivered,
      deliveries: ledger.deliveries,
      dropped: ledger.dropped,
      spooled: ledger.spooled,
      pending: ledger.pending,
      adopted: ledger.adopted,
      spool: this.#spool?.stats,
      drops: ledger.drops,
      heldBytes: queue.heldBytes,
      inFlightRequests: scheduler.inFlight,
      attempts,
      failedAttempts,
      staleConnections: this.#transport.staleRetries,
    }
  }

  /**
   * What was given up since the last call, to be reported as telemetry. Nothing while uploads do not work: the report
   * itself would be queued behind what is being shed.
   *
   * @param options.final - There is no later: everything, however uploads stand.
   */
  takeDrops(options: { readonly final?: boolean } = {}): readonly DropCount[] {
    const { final = false } = options
    const { ledger, state } = this.#pipeline
    return final || this.#closed || state === 'working' ? ledger.takeDrops() : []
  }

  /** What makes delivery worse here than elsewhere, said once, at the start. */
  #tellLimitations(compressionError: Promise<Error | undefined>): void {
    if (!isPermitted('net')) {
      this.#notices.say(
        'network',
        "Node's permission model allows no network (--allow-net): nothing can be uploaded",
      )
    }
    const { limitation } = this.#exit
    if (limitation !== undefined && this.#spool === undefined) this.#notices.say('threads', limitation)
    void this.#transport.loadError.then((error) => {
      if (error === undefined) return
      this.#notices.say(
        'client',
        `undici cannot be loaded (${codeOf(error)}): Node's own HTTP client takes over, nothing is lost`,
      )
    })
    void compressionError.then((error) => {
      if (error === undefined) return
      this.#notices.say(
        'uncompressed',
        `the LZ4 library cannot be loaded (${codeOf(error)}): blocks are sent uncompressed`,
      )
    })
  }

  async #stop(timeoutMs: number): Promise<DeliveryReport> {
    this.#closed = true
    const { ledger, scheduler } = this.#pipeline
    const watch = ledger.watch()
    const limitMs = timeoutMs - this.#reserveMs(timeoutMs)
    isolate(() => scheduler.hurry(DRAIN_MAX_DELAY_MS))
    await this.#uploadIfStuck(limitMs)
    await waitUntil(this.#clock, watch.done, limitMs, undefined)
    this.#giveUp()
    this.#release()
    return this.#close(watch)
  }

  /** Where this thread cannot send anything, another one does, while this one is blocked. */
  async #uploadIfStuck(timeoutMs: number): Promise<void> {
    if (!(await canUseSockets(this.#clock))) this.#uploadNow(timeoutMs)
  }

  #uploadNow(timeoutMs: number): void {
    const { unsettled, uploader } = this.#pipeline
    if (unsettled.size === 0 || timeoutMs <= 0) return
    try {
      const settlements = uploadNow(unsettled, uploader, (capacity) =>
        this.#exit.open({
          concurrency: this.#config.maxInFlightRequests,
          capacity,
          keepBodies: this.#spool !== undefined,
          timeoutMs,
        }),
      )
      let refused = 0
      for (const [item, settlement] of settlements) {
        if (settlement !== 'delivered') refused += item.events
        this.#pipeline.settle(item, settlement)
      }
      if (refused > 0)
        this.#notices.say('refused', `${refused} events were refused at the end of the process`)
    } catch (error) {
      this.#notices.say('exit', `cannot upload at the end of the process: ${errorMessage(error)}`)
    }
  }

  /** The part of a shutdown's time that is for writing to disk and for closing connections. */
  #reserveMs(timeoutMs: number): number {
    return this.#spool === undefined ? Math.min(CLOSE_MS, timeoutMs / 10) : Math.min(SPOOL_MS, timeoutMs / 5)
  }

  /** Ends every attempt; what is not settled goes to disk, or is given up. */
  #giveUp(): void {
    this.#pipeline.stop()
    let lost = 0
    for (const item of this.#pipeline.unsettled) {
      const spooled = this.#spool?.storeNow(item) === true
      if (!spooled) lost += item.events
      this.#pipeline.settle(item, spooled ? 'spooled' : { dropped: 'shutdown' })
    }
    if (lost > 0) this.#notices.say('shutdown', `${lost} events were not delivered before the shutdown`)
  }

  #release(): void {
    this.#spool?.close()
    this.#credentials.close()
  }

  async #close(watch: LedgerWatch): Promise<DeliveryReport> {
    await waitUntil(this.#clock, this.#transport.close(), CLOSE_MS, undefined)
    return watch.report()
  }
}

/** Leaves the host's asynchronous context: a request must not live as long as our upload of its log. */
const detached = builtin('node:async_hooks').AsyncLocalStorage.snapshot()

/** Runs what neither belongs to what the host does now nor is to be traced. */
function isolate<T>(fn: () => T): T {
  return detached(() => withoutTracing(fn))
}

/** The code of an error, or of what it was caused by. */
function codeOf(error: unknown): string {
  for (let cause = error; isError(cause); cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ERR_DLOPEN_DISABLED')
      return "Node's permission model allows no native libraries, --allow-addons"
    if (code !== undefined) return code
  }
  return errorMessage(error)
}
