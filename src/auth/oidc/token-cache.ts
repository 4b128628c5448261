import { waitFor } from '../../http/wait-for.ts'
import { CredentialsUnavailableError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { RenewalBudget } from './renewal-budget.ts'

/** A token as the identity provider issued it. */
export interface IssuedToken {
  readonly secret: Secret
  /** How long it is valid from when it was asked for, in milliseconds; greater than 0. */
  readonly lifeMs: number
}

export interface TokenCacheOptions {
  /**
   * Gets a token, within its own time limit.
   *
   * @throws {@link CredentialsUnavailableError} with `retryAfterMs` as the provider asked, if it did.
   */
  readonly fetchToken: (signal: AbortSignal) => Promise<IssuedToken>
  /** A token is renewed this long before it expires, at most a fifth of its life; at least 0. */
  readonly bufferMs: number
  /** Mean wait before a provider that refused is asked again. */
  readonly refusedRetryMs: number
  /** Monotonic clock, in milliseconds. */
  readonly now: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Told of every outcome: `undefined` for a token, the error otherwise. Must not throw. */
  readonly onOutcome: (error: CredentialsUnavailableError | undefined) => void
}

interface CachedToken {
  readonly secret: Secret
  /** From here on it is renewed in the background. */
  readonly softAt: number
  /** From here on it is not used any more. */
  readonly hardAt: number
}

interface Flight {
  readonly promise: Promise<Secret>
  readonly abort: AbortController
  /** Tokens that the server refused while this request was under way. */
  readonly refused: Set<string>
}

interface Failure {
  readonly error: CredentialsUnavailableError
  readonly retryAt: number
}

/** So that a 5-minute token is renewed after 4 minutes, however large the buffer. */
const MAX_BUFFER_SHARE = 0.2
/** A fleet that was started together would otherwise renew together for ever. */
const SOFT_JITTER = 0.1
/** The way of a request to the server takes time, and token lives are rounded to seconds. */
const MAX_EXPIRY_MARGIN_MS = 5_000
const EXPIRY_MARGIN_SHARE = 0.05

const BACKOFF_BASE_MS = 500
const BACKOFF_CAP_MS = 30_000
/** Longer waits that a provider asks for are cut to this: a wrong `Retry-After` must not end uploads for a day. */
const MAX_RETRY_AFTER_MS = 300_000
/** Everyone was told the same `Retry-After`. */
const RETRY_AFTER_JITTER = 0.1
/** Either side of `refusedRetryMs`. */
const REFUSED_JITTER = 0.2

/**
 * The life of one access token: asked for by at most one request at a time, renewed in the background before it expires,
 * shared by everything that needs it.
 *
 * Time is the monotonic clock, so that steps of the wall clock neither expire a token nor prolong it. That clock may
 * stand still while the machine is suspended: a token that expired meanwhile is refused by the server once, and
 * {@link invalidate} replaces it.
 */
export class TokenCache {
  readonly #options: TokenCacheOptions
  readonly #renewals: RenewalBudget
  #token: CachedToken | undefined
  #flight: Flight | undefined
  #failure: Failure | undefined
  #failures = 0

  constructor(options: TokenCacheOptions) {
    this.#options = options
    this.#renewals = new RenewalBudget(options.now)
  }

  /** The token to use now, without waiting; starts its renewal when that is due. `undefined` when there is none. */
  current(): Secret | undefined {
    const token = this.#token
    if (token === undefined) return undefined
    const now = this.#options.now()
    if (now >= token.hardAt) return undefined
    if (now >= token.softAt && this.#flight === undefined && now >= this.#retryAt) this.#launch()
    return token.secret
  }

  /**
   * The token to use now; waits for the identity provider only when there is none.
   *
   * @param signal - Ends the wait of this caller; the request to the provider goes on for the others.
   * @throws {@link CredentialsUnavailableError} At once, without asking, while the last failure's wait lasts.
   */
  acquire(signal: AbortSignal): Promise<Secret> {
    if (signal.aborted) return Promise.reject(signal.reason)
    const current = this.current()
    if (current !== undefined) return Promise.resolve(current)
    if (this.#flight === undefined) {
      const failure = this.blockedBy()
      if (failure !== undefined) return Promise.reject(failure)
    }
    return waitFor((this.#flight ?? this.#launch()).promise, signal)
  }

  /** Why the provider is not asked now, with what is left of the wait; `undefined` when it may be asked. */
  blockedBy(): CredentialsUnavailableError | undefined {
    if (this.#failure === undefined) return undefined
    const left = this.#failure.retryAt - this.#options.now()
    if (left <= 0) return undefined
    const { error } = this.#failure
    return new CredentialsUnavailableError(error.message, {
      retryAfterMs: Math.ceil(left),
      refused: error.refused,
      cause: error.cause,
    })
  }

  /** Ends the wait after a failure, because the reason for it was mended. */
  forgetFailure(): void {
    this.#failure = undefined
    this.#failures = 0
  }

  /**
   * Drops a token that the server refused; a newer one stays. A request for a token that is under way will not bring the
   * refused one back.
   *
   * Renewals for this reason are rationed ({@link RenewalBudget}): a server that refuses every token must not become a
   * storm at the identity provider. Past the ration the refused token stays in use, and works again when the server,
   * rather than the token, was at fault.
   */
  invalidate(refused: string): void {
    this.#flight?.refused.add(refused)
    if (this.#token === undefined || this.#token.secret.reveal() !== refused) return
    if (this.#flight !== undefined || this.#renewals.spend()) this.#token = undefined
  }

  /** Abandons a request that is under way; the cache can be used again afterwards. */
  cancel(): void {
    this.#flight?.abort.abort(
      new CredentialsUnavailableError('Cannot get a token: the request was cancelled'),
    )
  }

  get #retryAt(): number {
    return this.#failure?.retryAt ?? Number.NEGATIVE_INFINITY
  }

  #launch(): Flight {
    const abort = new AbortController()
    const refused = new Set<string>()
    // Starts on a later microtask: #flight is set before #fly can end and clear it.
    const promise = Promise.resolve().then(() => this.#fly(abort.signal, refused))
    promise.catch(() => {}) // a renewal in the background has nobody waiting; its failure is in #failure
    this.#flight = { promise, abort, refused }
    return this.#flight
  }

  async #fly(signal: AbortSignal, refused: Set<string>): Promise<Secret> {
    try {
      let asked = this.#options.now()
      let issued = await this.#options.fetchToken(signal)
      if (refused.has(issued.secret.reveal())) {
        // Providers that cache hand out the same token again. One more request, made after the refusal, decides.
        asked = this.#options.now()
        issued = await this.#options.fetchToken(signal)
      }
      this.#token = this.#schedule(issued, asked)
      this.forgetFailure()
      this.#options.onOutcome(undefined)
      return issued.secret
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw this.#fail(error)
    } finally {
      this.#flight = undefined
    }
  }

  #schedule({ secret, lifeMs }: IssuedToken, asked: number): CachedToken {
    const buffer = Math.min(this.#options.bufferMs, lifeMs * MAX_BUFFER_SHARE)
    const soft = lifeMs - buffer
    // Within half of the buffer, so that a late renewal still has the other half to succeed in.
    const spread = Math.min(soft * SOFT_JITTER, buffer / 2)
    const margin = Math.min(MAX_EXPIRY_MARGIN_MS, lifeMs * EXPIRY_MARGIN_SHARE)
    return {
      secret,
      softAt: asked + soft + (this.#options.random() * 2 - 1) * spread,
      hardAt: asked + lifeMs - margin,
    }
  }

  #fail(error: unknown): CredentialsUnavailableError {
    const failed =
      error instanceof CredentialsUnavailableError
        ? error
        : new CredentialsUnavailableError('Cannot get a token: the request failed in an unexpected way', {
            cause: error,
          })
    const delayMs = Math.ceil(this.#delay(failed))
    this.#failures++
    const failure = new CredentialsUnavailableError(failed.message, {
      retryAfterMs: delayMs,
      refused: failed.refused,
      cause: failed.cause,
    })
    this.#failure = { error: failure, retryAt: this.#options.now() + delayMs }
    this.#options.onOutcome(failure)
    return failure
  }

  #delay(error: CredentialsUnavailableError): number {
    const { random, refusedRetryMs } = this.#options
    if (error.refused) return refusedRetryMs * (1 - REFUSED_JITTER + 2 * REFUSED_JITTER * random())
    const backoff = random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** this.#failures)
    const asked = Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)
    return Math.max(backoff, asked * (1 + RETRY_AFTER_JITTER * random()))
  }
}
