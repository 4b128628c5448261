import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestDecoratorFactory } from '../auth/request-decorator.ts'
import { type Endpoint, resolveEndpoint } from '../http/endpoint.ts'
import { type ProxyRoute, proxyFromEnv } from '../http/proxy.ts'
import { withoutTracing } from '../http/suppress-tracing.ts'
import { Transport } from '../http/transport.ts'
import { waitUntil } from '../http/wait-until.ts'
import { toTimerMs } from '../model/durations.ts'
import { errorMessage } from '../model/error-message.ts'
import type { DeliveryReport, EventSink, SealedBlock } from '../model/event-sink.ts'
import type { ProcessInfo } from '../model/process-info.ts'
import { loadTelemetryEncoder } from '../telemetry/encoder.ts'
import { uploadNow } from './exit/exit-upload.ts'
import {
  type HttpEventSinkConfig,
  type HttpEventSinkOptions,
  resolveHttpEventSinkOptions,
} from './http-event-sink-options.ts'
import { Notices } from './notices.ts'
import type { SinkStats } from './sink-stats.ts'
import { Spool } from './spool/spool.ts'
import { SpoolDirectory } from './spool/spool-directory.ts'
import type { DropCount, LedgerWatch, Settlement } from './upload/delivery-ledger.ts'
import { MetadataRegistry } from './upload/metadata-registry.ts'
import type { DropReason } from './upload/outcome.ts'
import { priorityOf } from './upload/priority.ts'
import { Credentials } from './upload/upload-credentials.ts'
import { type ItemContent, type StoredBlock, UploadItem } from './upload/upload-item.ts'
import { UploadPipeline } from './upload/upload-pipeline.ts'
import { Uploader } from './upload/uploader.ts'

export type { BlocksRetryOptions, HttpEventSinkOptions, RetryOptions } from './http-event-sink-options.ts'
export type { SinkState, SinkStats } from './sink-stats.ts'
export type { SpoolStats } from './spool/spool.ts'
export type { DropCount } from './upload/delivery-ledger.ts'
export type { DropReason } from './upload/outcome.ts'

/** True for the sinks of any copy of this package: the ESM and the CommonJS build may meet in one process. */
export function isHttpEventSink(sink: EventSink): sink is HttpEventSink {
  const { takeDrops, stats } = sink as Partial<HttpEventSink>
  return typeof takeDrops === 'function' && typeof stats === 'function'
}

/** While somebody waits in a flush, a service that is away is asked again after no more than this. */
const FLUSH_MAX_DELAY_MS = 1_000
/** No wait between attempts is longer than this during a shutdown. */
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
  readonly #endpoint: Endpoint
  readonly #proxy: ProxyRoute | undefined
  readonly #notices: Notices
  readonly #credentials: Credentials
  readonly #transport: Transport
  readonly #uploader: Uploader
  readonly #registry: MetadataRegistry
  readonly #pipeline: UploadPipeline
  readonly #spool: Spool | undefined
  /** Leaves the host's asynchronous context: a request must not live as long as our upload of its log. */
  readonly #detached: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot()
  #closed = false
  #stopped: Promise<DeliveryReport> | undefined

  /**
   * @param url - Base URL of the service: http or https, with or without a path and a trailing slash.
   * @param decoratorFactory - Makes what adds credentials to requests; called here, once.
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the URL, an option or the spool directory cannot be used;
   * and whatever the factory throws.
   */
  constructor(
    url: string | URL,
    options: HttpEventSinkOptions = {},
    decoratorFactory?: RequestDecoratorFactory,
  ) {
    const endpoint = resolveEndpoint(url)
    const config = resolveHttpEventSinkOptions(options)
    const proxy = proxyFromEnv(endpoint.insertUrls.block, process.env, config.warn)
    this.#endpoint = endpoint
    this.#config = config
    this.#proxy = proxy
    const via = proxy === undefined ? '' : ` (through the proxy ${proxy.label})`
    this.#notices = new Notices(endpoint.label + via, decoratorFactory !== undefined, config.warn)
    const directory = config.spoolDir === undefined ? undefined : new SpoolDirectory(config.spoolDir)
    this.#credentials = new Credentials(decoratorFactory)
    const connectTimeoutMs = config.requestTimeoutMs
    this.#transport = new Transport({ origin: endpoint.origin, proxy, connectTimeoutMs })
    this.#uploader = new Uploader({
      endpoint,
      credentials: this.#credentials,
      transport: this.#transport,
      timeoutMs: config.requestTimeoutMs,
    })
    this.#registry = new MetadataRegistry(config.metadataRefreshMs)
    this.#pipeline = new UploadPipeline({
      config,
      uploader: this.#uploader,
      notices: this.#notices,
      isolate: (fn) => this.#isolated(fn),
      onSettled: (item, settlement) => this.#onSettled(item, settlement),
      onAttempt: (failing) => this.#spool?.setFailing(failing),
    })
    this.#spool = directory === undefined ? undefined : this.#makeSpool(directory)
    void this.#isolated(() => this.#load())
  }

  onStartup(process: ProcessInfo): void {
    this.#registry.startup(process)
  }

  onBlock(block: SealedBlock): void {
    const { kind, processId } = block.stream
    const { ledger, queue } = this.#pipeline
    if (this.#closed) return this.#refuse(block, 'closed')
    if (!queue.accepts(priorityOf(kind))) {
      this.#refuse(block, 'queue_full')
      this.#notices.say(`queue_full ${kind}`, `the upload queue is full and sheds ${kind} blocks`)
      return
    }
    const process = this.#registry.process(processId)
    if (process === undefined) {
      this.#refuse(block, 'encoding')
      this.#notices.say('no process', 'a block came before the process it belongs to')
      return
    }
    this.#enqueueMetadata(this.#registry.takeDue(block.stream, performance.now(), this.#pipeline.recoveries))
    const batch = ledger.accept(kind, block.eventCount)
    const item = new UploadItem({ insert: 'block', block, process }, batch)
    this.#pipeline.enqueue(item)
    if (this.#spool !== undefined) this.#isolated(() => this.#spool?.track(item))
  }

  /**
   * Sends the blocks queued when it is called and waits for the answers; what is queued later is not waited for. Keeps the
   * process alive while it waits. Never rejects.
   *
   * @param options.signal - Ends the waiting; without it that is done by the option `flushTimeoutMs`. What is unsent then
   * stays queued and counts as pending.
   */
  async flush({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<DeliveryReport> {
    const { ledger, scheduler } = this.#pipeline
    const watch = ledger.watch()
    const done = this.#isolated(() => scheduler.expedite(FLUSH_MAX_DELAY_MS))
    await waitUntil(watch.done, signal === undefined ? this.#config.flushTimeoutMs : undefined, signal)
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
  shutdown({ timeoutMs }: { readonly timeoutMs?: number | undefined } = {}): Promise<DeliveryReport> {
    this.#stopped ??= this.#stop(toTimerMs(timeoutMs, this.#config.shutdownTimeoutMs))
    return this.#stopped
  }

  /**
   * {@link shutdown} for an `exit` handler, where no promise runs any more: blocks this thread, in most cases for less than
   * 100 ms, while another one sends what is left. A shutdown that is under way is brought to its end. Never throws.
   *
   * @param timeoutMs - Longest time it may take; with 0 what is left is counted as dropped.
   */
  shutdownSync(timeoutMs: number): void {
    this.#closed = true
    const limitMs = toTimerMs(timeoutMs, this.#config.shutdownTimeoutMs)
    const watch = this.#pipeline.ledger.watch()
    this.#pipeline.scheduler.stop()
    const reserveMs = this.#spool === undefined ? 0 : this.#reserveMs(limitMs)
    if (this.#pipeline.unsettled.size > 0 && limitMs > 0) this.#uploadNow(limitMs - reserveMs)
    this.#abandon()
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
   */
  takeDrops(): readonly DropCount[] {
    return this.#closed || this.#pipeline.state === 'working' ? this.#pipeline.ledger.takeDrops() : []
  }

  /** Runs what neither belongs to what the host does now nor is to be traced. */
  #isolated<T>(fn: () => T): T {
    return this.#detached(() => withoutTracing(fn))
  }

  async #load(): Promise<void> {
    try {
      const [retry, encoder] = await Promise.all([
        import('p-retry'),
        loadTelemetryEncoder(),
        this.#transport.load(),
      ])
      this.#uploader.use(encoder)
      if (encoder.compressionError !== undefined) {
        this.#notices.say('uncompressed', 'the LZ4 library cannot be loaded, blocks are sent uncompressed')
      }
      this.#pipeline.start(retry.default)
      if (!this.#closed) this.#spool?.start()
    } catch (error) {
      // The installation is broken: blocks wait in vain, and are counted in the end.
      this.#notices.say('installation', `cannot load what uploads need: ${errorMessage(error)}`)
    }
  }

  #makeSpool(directory: SpoolDirectory): Spool {
    return new Spool({
      directory,
      maxBytes: this.#config.spoolMaxBytes,
      encode: (item) => this.#uploader.encode(item),
      onEvicted: (item) => {
        this.#notices.say('spool_full', `the spool is full and lets go of its oldest ${item.kind} blocks`)
        this.#pipeline.settle(item, { dropped: 'spool_full' })
      },
      onStored: (item, stored) => this.#pipeline.queue.shrink(item.store(stored)),
      onAdopted: (blocks) => this.#adopt(blocks),
      onRead: ({ processId, streamId, process, stream }) => {
        const bodies = [
          { insert: 'process', id: processId, body: process },
          { insert: 'stream', id: streamId, body: stream },
        ] as const
        const { recoveries } = this.#pipeline
        this.#enqueueMetadata(this.#registry.takeDueBodies(bodies, performance.now(), recoveries))
      },
      say: (key, message) => this.#notices.say(key, message),
    })
  }

  #adopt(blocks: readonly StoredBlock[]): void {
    for (const stored of blocks) {
      const batch = this.#pipeline.ledger.adopt(stored.kind, stored.events)
      const item = new UploadItem({ insert: 'block', stored }, batch)
      this.#pipeline.enqueue(item)
      this.#spool?.adopted(item, stored)
    }
  }

  #refuse(block: SealedBlock, reason: DropReason): void {
    this.#pipeline.ledger.refuse(block.stream.kind, block.eventCount, reason)
    block.release?.()
  }

  #enqueueMetadata(due: readonly ItemContent[]): void {
    for (const content of due) {
      this.#pipeline.enqueue(new UploadItem(content, this.#pipeline.ledger.accept('metadata', 0)))
    }
  }

  #onSettled(item: UploadItem, settlement: Settlement): void {
    this.#spool?.settled(item, settlement === 'spooled')
    if (item.kind === 'metadata') {
      this.#registry.settled(item.id, performance.now(), this.#pipeline.recoveries)
    }
  }

  async #stop(timeoutMs: number): Promise<DeliveryReport> {
    this.#closed = true
    const { ledger, scheduler } = this.#pipeline
    const watch = ledger.watch()
    this.#isolated(() => scheduler.hurry(DRAIN_MAX_DELAY_MS))
    await waitUntil(watch.done, timeoutMs - this.#reserveMs(timeoutMs), undefined)
    this.#abandon()
    return this.#close(watch)
  }

  #uploadNow(timeoutMs: number): void {
    try {
      const settlements = uploadNow(this.#pipeline.unsettled, this.#uploader, {
        endpoint: this.#endpoint,
        proxy: this.#proxy,
        concurrency: this.#config.maxInFlightRequests,
        keepBodies: this.#spool !== undefined,
        timeoutMs,
      })
      for (const [item, settlement] of settlements) this.#pipeline.settle(item, settlement)
    } catch (error) {
      this.#notices.say('exit', `cannot upload at the end of the process: ${errorMessage(error)}`)
    }
  }

  /** The part of a shutdown's time that is for writing to disk and for closing connections. */
  #reserveMs(timeoutMs: number): number {
    return this.#spool === undefined ? Math.min(CLOSE_MS, timeoutMs / 10) : Math.min(SPOOL_MS, timeoutMs / 5)
  }

  /** Ends every attempt; what is not settled goes to disk, or is given up. */
  #abandon(): void {
    this.#pipeline.stop()
    let lost = 0
    for (const item of this.#pipeline.unsettled) {
      const spooled = this.#spool !== undefined && this.#storeNow(this.#spool, item)
      if (!spooled) lost += item.events
      this.#pipeline.settle(item, spooled ? 'spooled' : { dropped: 'shutdown' })
    }
    if (lost > 0) this.#notices.say('shutdown', `${lost} events were not delivered before the shutdown`)
    this.#spool?.close()
    this.#credentials.close()
  }

  #storeNow(spool: Spool, item: UploadItem): boolean {
    if (item.isStored) return true
    if (item.kind === 'metadata') return false // every spooled block has its own
    try {
      return spool.storeSync(item, this.#uploader.encodeNow(item))
    } catch {
      return false // it cannot be encoded
    }
  }

  async #close(watch: LedgerWatch): Promise<DeliveryReport> {
    await waitUntil(this.#transport.close(), CLOSE_MS, undefined)
    return watch.report()
  }
}
