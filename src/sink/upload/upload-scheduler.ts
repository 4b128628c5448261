import type { Clock, Timer } from '../../model/runtime/clock.ts'
import type { Outcome } from './outcome.ts'
import { type Admission, type BackoffPolicy, fullJitterMs, type SharedBackoff } from './shared-backoff.ts'
import type { UploadItem } from './upload-item.ts'
import type { UploadQueue } from './upload-queue.ts'

/** Leave to make one attempt; it holds an upload slot until {@link UploadScheduler.finish}. */
export interface Turn {
  readonly admission: Admission
}

export interface SchedulerOptions {
  readonly queue: UploadQueue
  readonly backoff: SharedBackoff
  /** Slots. */
  readonly maxInFlight: number
  /** Wait after a failure of this item. */
  readonly policyOf: (item: UploadItem) => BackoffPolicy
  /** Wait after the service refused our credentials twice. */
  readonly unauthorizedPolicy: BackoffPolicy
  /** Longest wait that anyone may ask for, in milliseconds. */
  readonly maxRetryAfterMs: number
  /** Begins the life of an item that has its first turn. */
  readonly begin: (item: UploadItem, turn: Turn) => void
  /** Items delivered so far. */
  readonly deliveredItems: () => number
  readonly clock: Clock
}

interface Waiting {
  readonly item: UploadItem
  readonly resolve: (turn: Turn) => void
  readonly reject: (reason: unknown) => void
}

/** Thrown at what still waits for a turn when the scheduler stops. */
export class SchedulerStopped extends Error {
  override readonly name: string = 'SchedulerStopped'
}

/**
 * Decides what is attempted next, and when: a bounded number at once, the most important first, nothing while the shared
 * backoff is closed. An item that waits for its next attempt holds no slot.
 *
 * A failure is held against its item, and not only against the service, when others were delivered since the item failed
 * before. Such an item waits on its own account, longer every time, and holds up nobody.
 */
export class UploadScheduler {
  readonly #options: SchedulerOptions
  readonly #waiting: Set<Waiting> = new Set()
  #inFlight = 0
  #timer: Timer | undefined
  #wakeAtMs: number = Number.POSITIVE_INFINITY
  #hurrying = 0
  #hurryMs: number = Number.POSITIVE_INFINITY
  #expediting = 0
  #expediteMs: number = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /** Attempts under way. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Gives every turn that may be given now. */
  pump(): void {
    this.#wakeAt(Number.POSITIVE_INFINITY)
    const { backoff, maxInFlight } = this.#options
    while (!this.#stopped && this.#inFlight < maxInFlight) {
      const nowMs = this.#options.clock.now()
      const waitMs = backoff.waitMs(nowMs)
      if (waitMs > 0) {
        this.#wakeAt(nowMs + waitMs)
        return
      }
      const next = this.#next(nowMs)
      if (next === undefined) return
      this.#inFlight++
      next({ admission: backoff.admit() })
    }
  }

  /** The next turn of an item that failed. @throws {@link SchedulerStopped} when there will be none. */
  waitTurn(item: UploadItem): Promise<Turn> {
    return new Promise<Turn>((resolve, reject) => {
      if (this.#stopped) {
        reject(new SchedulerStopped())
        return
      }
      this.#waiting.add({ item, resolve, reject })
      this.pump()
    })
  }

  /** Ends a turn with its result: frees the slot and tells the backoff and the item. */
  finish({ admission }: Turn, item: UploadItem, outcome: Outcome): void {
    const { backoff, unauthorizedPolicy } = this.#options
    const nowMs = this.#options.clock.now()
    this.#inFlight--
    switch (outcome.kind) {
      case 'delivered':
        backoff.answered(admission)
        break
      case 'drop':
        // Only an answer says that the service works: what fails before it is sent does not.
        if (outcome.reason === 'refused' || outcome.reason === 'too_large') backoff.answered(admission)
        else backoff.inconclusive(admission)
        break
      case 'aborted':
        backoff.inconclusive(admission)
        break
      case 'unauthorized':
        backoff.paused(admission, limited(unauthorizedPolicy, this.#drainDelayMs), nowMs)
        break
      case 'retry':
        this.#failed(admission, item, outcome, nowMs)
    }
    this.pump()
  }

  /**
   * For the end of a process: everything is tried at once, whatever its wait, and until the function returned is called no
   * later wait is longer than `maxDelayMs`.
   */
  hurry(maxDelayMs: number): () => void {
    this.#hurrying++
    this.#hurryMs = maxDelayMs
    this.#options.backoff.hurry()
    for (const { item } of this.#waiting) item.hurry()
    this.pump()
    return () => {
      this.#hurrying--
    }
  }

  /**
   * Somebody waits for deliveries: until the function returned is called, a wait that nobody asked us for is no longer than
   * `maxDelayMs`, the present one included.
   */
  expedite(maxDelayMs: number): () => void {
    this.#expediting++
    this.#expediteMs = maxDelayMs
    this.#options.backoff.nudge(maxDelayMs)
    this.pump()
    return () => {
      this.#expediting--
    }
  }

  get #drainDelayMs(): number {
    return this.#hurrying > 0 ? this.#hurryMs : Number.POSITIVE_INFINITY
  }

  /** No turn is given any more. */
  stop(): void {
    this.#stopped = true
    this.#wakeAt(Number.POSITIVE_INFINITY)
    for (const { reject } of this.#waiting) reject(new SchedulerStopped())
    this.#waiting.clear()
  }

  #failed(
    admission: Admission,
    item: UploadItem,
    { retryAfterMs, suspicion }: Extract<Outcome, { kind: 'retry' }>,
    nowMs: number,
  ): void {
    const { backoff, policyOf, deliveredItems, maxRetryAfterMs, clock } = this.#options
    const expediteMs = this.#expediting > 0 ? this.#expediteMs : Number.POSITIVE_INFINITY
    const policy = limited(policyOf(item), Math.min(expediteMs, this.#drainDelayMs))
    item.noteFailure(deliveredItems(), suspicion, nowMs, (failures) =>
      fullJitterMs(policy, failures, clock.random),
    )
    // Were it the only one left, its own wait would do.
    if (item.failsAlone && retryAfterMs === undefined) backoff.inconclusive(admission)
    else {
      const longestMs = Math.min(maxRetryAfterMs, this.#drainDelayMs)
      const asked = retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, longestMs)
      backoff.failed(admission, policy, asked, nowMs)
    }
  }

  /** The item to be attempted now, as the function that gives it its turn. */
  #next(nowMs: number): ((turn: Turn) => void) | undefined {
    const { queue, backoff, begin } = this.#options
    let retry: Waiting | undefined
    let earliestMs = Number.POSITIVE_INFINITY
    for (const waiting of this.#waiting) {
      const { notBeforeMs, settled } = waiting.item
      if (settled) {
        this.#waiting.delete(waiting) // given up while it waited
        waiting.reject(new SchedulerStopped())
        continue
      }
      if (notBeforeMs > nowMs) earliestMs = Math.min(earliestMs, notBeforeMs)
      else if (retry === undefined || this.#precedes(waiting.item, retry.item, backoff.probes))
        retry = waiting
    }
    const fresh = queue.peek()
    if (retry !== undefined && (fresh === undefined || !this.#precedes(fresh, retry.item, backoff.probes))) {
      this.#waiting.delete(retry)
      return retry.resolve
    }
    if (fresh !== undefined) {
      queue.shift()
      return (turn) => begin(fresh, turn)
    }
    this.#wakeAt(earliestMs)
    return undefined
  }

  /**
   * The more important one first, and of equals the one that waits already. A probe is rather what failed least: were it
   * always the same one, a block that the database refuses would look like an outage.
   */
  #precedes(a: UploadItem, b: UploadItem, probing: boolean): boolean {
    if (probing && a.failures !== b.failures) return a.failures < b.failures
    return a.priority < b.priority
  }

  #wakeAt(atMs: number): void {
    if (atMs === this.#wakeAtMs) return
    this.#timer?.cancel()
    this.#wakeAtMs = atMs
    if (atMs === Number.POSITIVE_INFINITY) return
    const delayMs = Math.max(1, Math.ceil(atMs - this.#options.clock.now()))
    this.#timer = this.#options.clock.after(delayMs, () => this.pump())
  }
}

function limited({ baseDelayMs, maxDelayMs }: BackoffPolicy, limitMs: number): BackoffPolicy {
  return { baseDelayMs: Math.min(baseDelayMs, limitMs), maxDelayMs: Math.min(maxDelayMs, limitMs) }
}
