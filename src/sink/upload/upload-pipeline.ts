import { errorMessage } from '../../model/error-message.ts'
import type { HttpEventSinkConfig } from '../http-event-sink-options.ts'
import type { Notices } from '../notices.ts'
import { DeliveryLedger, type Settlement } from './delivery-ledger.ts'
import type { DropReason, Outcome } from './outcome.ts'
import { SharedBackoff } from './shared-backoff.ts'
import type { UploadItem } from './upload-item.ts'
import { UploadQueue } from './upload-queue.ts'
import { SchedulerStopped, type Turn, UploadScheduler } from './upload-scheduler.ts'
import type { Uploader } from './uploader.ts'

type PRetry = typeof import('p-retry').default

export interface UploadPipelineOptions {
  readonly config: HttpEventSinkConfig
  readonly uploader: Uploader
  readonly notices: Notices
  /** Runs a function where it inherits nothing of whoever recorded. */
  readonly isolate: <T>(fn: () => T) => T
  /** An item came to its end. */
  readonly onSettled: (item: UploadItem, settlement: Settlement) => void
  /** An attempt ended, and the service seems to be away or not. */
  readonly onAttempt: (failing: boolean) => void
}

/** The way of items from the queue to their end: attempts and retries, and the accounts of them. */
export class UploadPipeline {
  readonly ledger: DeliveryLedger = new DeliveryLedger()
  readonly queue: UploadQueue
  readonly scheduler: UploadScheduler
  /** Items that have not come to their end, oldest first. */
  readonly unsettled: Set<UploadItem> = new Set()

  readonly #options: UploadPipelineOptions
  readonly #backoff: SharedBackoff = new SharedBackoff(Math.random)
  #pRetry: PRetry | undefined
  #pumpScheduled = false
  #attempts = 0
  #failedAttempts = 0
  #unauthorized = false
  #recoveries = 0

  constructor(options: UploadPipelineOptions) {
    const { config, isolate } = options
    this.#options = options
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
      random: Math.random,
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

  /** How often the service came back after it had been away. */
  get recoveries(): number {
    return this.#recoveries
  }

  get state(): 'working' | 'unreachable' | 'unauthorized' {
    if (this.#backoff.failures === 0) return 'working'
    return this.#unauthorized ? 'unauthorized' : 'unreachable'
  }

  /** Uploads begin, with what is queued. */
  start(pRetry: PRetry): void {
    this.#pRetry = pRetry
    this.scheduler.start()
  }

  /** Queues an item. It leaves the recording call before any work is done, which is then done once for many. */
  enqueue(item: UploadItem): void {
    this.unsettled.add(item)
    this.queue.push(item)
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    this.#options.isolate(() =>
      setImmediate(() => {
        this.#pumpScheduled = false
        this.scheduler.pump()
      }),
    )
  }

  /** Ends an item; what else happens to it counts no more. */
  settle(item: UploadItem, settlement: Settlement): void {
    if (!this.unsettled.delete(item)) return
    item.settle()
    this.queue.release(item)
    this.#options.onSettled(item, settlement)
    this.ledger.settle(item.batch, item.kind, item.events, settlement)
  }

  /** Ends every attempt; items that are not settled stay so. */
  stop(): void {
    this.scheduler.stop()
    this.#options.uploader.stop()
  }

  /** The life of an item from its first turn to its end. Never rejects. */
  async #deliver(item: UploadItem, firstTurn: Turn): Promise<void> {
    const { config, notices } = this.#options
    const pRetry = this.#pRetry! // loaded before the first turn is given
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
    const outcome = await this.#options.uploader.attempt(item)
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
    const { notices, onAttempt } = this.#options
    const wasFailing = this.#backoff.failures > 0
    if (outcome.kind === 'retry' || outcome.kind === 'unauthorized') this.#failedAttempts++
    this.scheduler.finish(turn, item, outcome)
    onAttempt(this.#backoff.failures > 0)
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
