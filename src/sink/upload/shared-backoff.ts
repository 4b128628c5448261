/** How long to wait after a failure. */
export interface BackoffPolicy {
  /** Upper limit of the first wait, in milliseconds; it doubles with every failure in a row. */
  readonly baseDelayMs: number
  /** Upper limit of every wait, in milliseconds. */
  readonly maxDelayMs: number
}

/** Leave to make one attempt, to be handed back with its result exactly once. */
export interface Admission {
  /** True: the one attempt that finds out whether the service is back. */
  readonly probe: boolean
  /** @internal */
  readonly generation: number
}

/** Full jitter: a whole fleet that failed together does not come back together. */
export function fullJitterMs(policy: BackoffPolicy, failures: number, random: () => number): number {
  return random() * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** Math.min(failures, 50))
}

/**
 * The backoff of a whole sink. After a failure nothing is attempted until the wait is over; then one attempt, the probe,
 * decides for everything that is queued. An outage therefore costs one request per wait however much is held, and ends
 * with one request rather than a herd.
 *
 * It has no timer: it is told the time (milliseconds of any monotonic clock) and says how long to wait.
 */
export class SharedBackoff {
  readonly #random: () => number
  /** Attempts admitted under an older generation have had their say: their failures are the same outage. */
  #generation = 0
  #failures = 0
  #closedUntil = 0
  #open = true
  #probing = false
  #closedAt = 0
  /** The wait was asked for, or is for people to do something: it is not cut short. */
  #firm = false

  constructor(random: () => number) {
    this.#random = random
  }

  /** Failures in a row; 0 while the service works. */
  get failures(): number {
    return this.#failures
  }

  /** Milliseconds until {@link admit} can succeed; 0 when it can now, `Infinity` while a probe is under way. */
  waitMs(nowMs: number): number {
    if (this.#open) return 0
    return this.#probing ? Number.POSITIVE_INFINITY : Math.max(0, this.#closedUntil - nowMs)
  }

  /** True when the next admission will be a probe. */
  get probes(): boolean {
    return !this.#open
  }

  /** Only when {@link waitMs} is 0. */
  admit(): Admission {
    this.#probing = !this.#open
    return { probe: this.#probing, generation: this.#generation }
  }

  /** The service answered and the fault was not its own. */
  answered(admission: Admission): void {
    if (admission.generation !== this.#generation) return
    this.#failures = 0
    this.#reopen()
  }

  /** The attempt said nothing about the service: let another one find out. */
  inconclusive(admission: Admission): void {
    if (admission.generation === this.#generation && admission.probe) this.#probing = false
  }

  /**
   * The attempt failed in a way that may be the service's: close, for the policy's wait or for what the service asked
   * for, plus at most `baseDelayMs` so that clients told the same moment do not keep it.
   */
  failed(admission: Admission, policy: BackoffPolicy, retryAfterMs: number | undefined, nowMs: number): void {
    const asked =
      retryAfterMs === undefined ? undefined : nowMs + retryAfterMs + this.#random() * policy.baseDelayMs
    if (admission.generation !== this.#generation) {
      if (asked === undefined || this.#open || asked <= this.#closedUntil) return
      this.#closedUntil = asked
      this.#firm = true
      return
    }
    this.#closedUntil = asked ?? nowMs + fullJitterMs(policy, this.#failures, this.#random)
    this.#failures++
    this.#close(nowMs, asked !== undefined)
  }

  /** Close for a wait drawn evenly from base to maximum: for trouble that only people mend. */
  paused(admission: Admission, policy: BackoffPolicy, nowMs: number): void {
    if (admission.generation !== this.#generation) return
    const span = Math.max(0, policy.maxDelayMs - policy.baseDelayMs)
    this.#closedUntil = nowMs + policy.baseDelayMs + this.#random() * span
    this.#failures++
    this.#close(nowMs, true)
  }

  /** Probe at once: there may be no later. */
  hurry(): void {
    this.#closedUntil = 0
  }

  /** Somebody waits: probe no later than `minPauseMs` after the last failure, unless a longer wait was asked for. */
  nudge(minPauseMs: number): void {
    if (!this.#firm) this.#closedUntil = Math.min(this.#closedUntil, this.#closedAt + minPauseMs)
  }

  #close(nowMs: number, firm: boolean): void {
    this.#generation++
    this.#open = false
    this.#probing = false
    this.#closedAt = nowMs
    this.#firm = firm
  }

  #reopen(): void {
    if (this.#open) return
    this.#generation++
    this.#open = true
    this.#probing = false
  }
}
