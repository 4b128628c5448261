import pRetry from 'p-retry'
import type { UploadClient } from '../../http/clients/upload-client.ts'
import type { Endpoint } from '../../http/endpoint.ts'
import type { SealedBlock } from '../../model/event-sink.ts'
import type { ProcessInfo } from '../../model/process-info.ts'
import type { Clock } from '../../model/runtime/clock.ts'
import { errorMessage } from '../../model/text/error-message.ts'
import type { TelemetryEncoder } from '../../telemetry/encoder.ts'
import type { HttpEventSinkConfig } from '../http-event-sink-options.ts'
import type { Notices } from '../notices.ts'
import { DeliveryLedger, type Settlement } from './delivery-ledger.ts'
import { MetadataRegistry } from './metadata-registry.ts'
import type { DropReason, Outcome } from './outcome.ts'
import { priorityOf } from './priority.ts'
import { SharedBackoff } from './shared-backoff.ts'
import type { Credentials } from './upload-credentials.ts'
import { type ItemContent, type StoredBlock, UploadItem } from './upload-item.ts'
import { UploadQueue } from './upload-queue.ts'
import { SchedulerStopped, type Turn, UploadScheduler } from './upload-scheduler.ts'
import { Uploader } from './uploader.ts'

export interface UploadPipelineOptions {
  readonly config: HttpEventSinkConfig
  readonly endpoint: Endpoint
  readonly credentials: Credentials
  readonly transport: UploadClient
  readonly encoder: TelemetryEncoder
  readonly notices: Notices
  readonly clock: Clock
  /** Runs a function where it inherits nothing of whoever recorded. */
  readonly isolate: <T>(fn: () => T) => T
}

/** Follows the blocks of a pipeline. */
export interface PipelineObserver {
  /** A block that was recorded here was queued. */
  queued(item: UploadItem): void
  /** An item came to its end. */
  settled(item: UploadItem, settlement: Settlement): void
  /** An attempt ended, and the service seems to be away or not. */
  attempted(failing: boolean): void
}

/** The way of blocks from the recording call to their end: queue, attempts and retries, and the accounts of them. */
export class UploadPipeline {
  readonly ledger: DeliveryLedger = new DeliveryLedger()
  readonly queue: UploadQueue
  readonly scheduler: UploadScheduler
  readonly uploader: Uploader
  /** Items that have not come to their end, oldest first. */
  readonly unsettled: Set<UploadItem> = new Set()

  readonly #options: UploadPipelineOptions
  readonly #backoff: SharedBackoff
  readonly #registry: MetadataRegistry
  #observer: PipelineObserver | undefined
  #pumpScheduled = false
  #attempts = 0
  #failedAttempts = 0
  #unauthorized = false
  #recoveries = 0

  constructor(options: UploadPipelineOptions) {
    const { config, endpoint, credentials, transport, encoder, isolate, clock } = options
    this.#options = options
    this.#backoff = new SharedBackoff(clock.random)
    this.#registry = new MetadataRegistry(config.metadataRefreshMs)
    this.uploader = new Uploader({
      endpoint,
      credentials,
      transport,
      encoder,
      clock,
      timeoutMs: config.requestTimeoutMs,
      onDescribed: (bodies) =>
        this.#enqueueAll(this.#registry.takeDueBodies(bodies, clock.now(), this.#recoveries)),
    })
    this.queue = new UploadQueue({ softBytes: config.maxQueueBytes, hardBytes: config.hardQueueBytes })
    this.scheduler = new UploadScheduler({
      queue: this.queue,
      backoff: this.#backoff,
      maxInFlight: config.maxInFlightRequests,
      policyOf: (item) => (item.kind === 'metadata' ? config.metadataRetry : config.blocksRetry),
      unauthorizedPolicy: config.unauthorizedRetry,
      maxRetryAfterMs: config.maxRetryAfterMs,
      begin: (item, turn) => isolate(() => void this.#deliver(item, turn)),
      deliveredItems: () => this.ledger.deliveredItems,
      clock,
    })
  }

  /** Attempts made. */
  get attempts(): number {
    return this.#attempts
  }

  /** Attempts that are repeated. */
  get failedAttempts(): number {
    return this.#failedAttempts
  }

  get state(): 'working' | 'unreachable' | 'unauthorized' {
    if (this.#backoff.failures === 0) return 'working'
    return this.#unauthorized ? 'unauthorized' : 'unreachable'
  }

  /** From now on the observer is told. */
  observe(observer: PipelineObserver): void {
    this.#observer = observer
  }

  /** A process whose blocks will come. */
  startup(process: ProcessInfo): void {
    this.#registry.startup(process)
  }

  /** Queues a block and what has to be sent before it, or gives it up. */
  accept(block: SealedBlock): void {
    const { notices, clock } = this.#options
    const { kind, processId } = block.stream
    if (this.queue.sheds(priorityOf(kind))) {
      this.refuse(block, 'queue_full')
      notices.say(`queue_full ${kind}`, `the upload queue is full and sheds ${kind} blocks`)
      return
    }
    const process = this.#registry.process(processId)
    if (process === undefined) {
      this.refuse(block, 'encoding')
      notices.say('no process', 'a block came before the process it belongs to')
      return
    }
    this.#enqueueAll(this.#registry.takeDue(block.stream, clock.now(), this.#recoveries))
    const item = new UploadItem(
      { insert: 'block', block, process },
      this.ledger.accept(kind, block.eventCount),
    )
    this.#enqueue(item)
    this.#observer?.queued(item)
  }

  /** Gives a block up at the door. */
  refuse(block: SealedBlock, reason: DropReason): void {
    this.ledger.refuse(block.stream.kind, block.eventCount, reason)
    block.release?.()
  }

  /** Queues a block that an earlier process left. */
  adopt(stored: StoredBlock): UploadItem {
    const item = new UploadItem({ insert: 'block', stored }, this.ledger.adopt(stored.kind, stored.events))
    this.#enqueue(item)
    return item
  }

  /** An item's bytes are on disk: they need not be in memory. */
  store(item: UploadItem, stored: StoredBlock): void {
    this.queue.shrink(item.store(stored))
  }

  /** Ends an item; what else happens to it counts no more. */
  settle(item: UploadItem, settlement: Settlement): void {
    if (!this.unsettled.delete(item)) return
    const isOwn = item.origin !== undefined
    item.settle()
    this.queue.release(item)
    this.#observer?.settled(item, settlement)
    if (item.kind === 'metadata') {
      this.#registry.settled(item.id, this.#options.clock.now(), this.#recoveries)
    }
    this.ledger.settle(item.batch, item.kind, item.events, settlement, isOwn)
  }

  /** Ends every attempt; items that are not settled stay so. */
  stop(): void {
    this.scheduler.stop()
    this.uploader.stop()
  }

  #enqueueAll(contents: readonly ItemContent[]): void {
    for (const content of contents) this.#enqueue(new UploadItem(content, this.ledger.accept('metadata', 0)))
  }

  /** It leaves the recording call before any work is done, which is then done once for many. */
  #enqueue(item: UploadItem): void {
    this.unsettled.add(item)
    this.queue.push(item)
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    const { isolate, clock } = this.#options
    const pump = (): void => {
      this.#pumpScheduled = false
      this.scheduler.pump()
    }
    isolate(() => clock.soon(pump))
  }

  /** The life of an item from its first turn to its end. Never rejects. */
  async #deliver(item: UploadItem, firstTurn: Turn): Promise<void> {
    const { config, notices } = this.#options
    let turn = firstTurn
    try {
      await pRetry(() => this.#attempt(item, turn), {
        retries: Number.POSITIVE_INFINITY,
        minTimeout: 0, // when to try again is the scheduler's to say, for all items together
        onFailedAttempt: async ({ error }) => {
          if (error instanceof GivenUp) throw error
          if (item.kind !== 'metadata' && item.suspicion >= config.blocksRetry.maxSoloFailures) {
            notices.say(
              'set_aside',
              `a ${item.kind} block failed again and again while others were delivered`,
            )
            throw new GivenUp('set_aside')
          }
          turn = await this.scheduler.waitTurn(item)
        },
      })
      this.settle(item, 'delivered')
    } catch (error) {
      if (error instanceof SchedulerStopped) return // whoever stopped it settles the item
      if (!(error instanceof GivenUp)) {
        notices.say('unexpected', `a ${item.kind} block failed unexpectedly: ${errorMessage(error)}`)
      }
      this.settle(item, { dropped: error instanceof GivenUp ? error.reason : 'set_aside' })
    }
  }

  /** One attempt, which gives its turn back. @throws What ends the retries, or is their occasion. */
  async #attempt(item: UploadItem, turn: Turn): Promise<void> {
    const outcome = await this.uploader.attempt(item)
    this.#attempts++
    this.#note(item, outcome, turn)
    switch (outcome.kind) {
      case 'delivered':
        return
      case 'drop':
        throw new GivenUp(outcome.reason)
      case 'aborted':
        throw new SchedulerStopped()
      default:
        throw new AttemptFailed(outcome.detail)
    }
  }

  #note(item: UploadItem, outcome: Outcome, turn: Turn): void {
    const { notices } = this.#options
    const wasFailing = this.#backoff.failures > 0
    if (outcome.kind === 'retry' || outcome.kind === 'unauthorized') this.#failedAttempts++
    this.scheduler.finish(turn, item, outcome)
    this.#observer?.attempted(this.#backoff.failures > 0)
    if (outcome.kind === 'unauthorized') {
      this.#unauthorized = true
      notices.unauthorized()
    } else if (outcome.kind === 'retry') {
      this.#unauthorized = false
      if (outcome.isTold !== true) notices.failing(outcome.detail, this.#backoff.failures)
    } else if (outcome.kind === 'drop' && !item.settled) {
      const what = item.kind === 'metadata' ? `the description of a ${item.insert}` : `a ${item.kind} block`
      notices.refused(`${outcome.reason} ${item.insert}`, what, outcome.detail)
    }
    if (!wasFailing || this.#backoff.failures > 0) return
    this.#unauthorized = false
    this.#recoveries++
    notices.working(this.ledger.dropped.events)
  }
}

/** An attempt that is to be repeated: what p-retry needs to see. */
class AttemptFailed extends Error {
  override readonly name: string = 'AttemptFailed'
}

/** Ends the attempts of an item for good. */
class GivenUp extends Error {
  override readonly name: string = 'GivenUp'
  readonly reason: DropReason

  constructor(reason: DropReason) {
    super(reason)
    this.reason = reason
  }
}
