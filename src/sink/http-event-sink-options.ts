import * as z from 'zod/mini'
import { tell } from '../config/diagnostics.ts'
import { isNothingGiven, optionProblems } from '../config/option-problems.ts'
import { TelemetryError } from '../model/errors.ts'
import { once } from '../model/runtime/once.ts'
import { MAX_TIMER_MS } from '../model/text/durations.ts'
import type { BackoffPolicy } from './upload/shared-backoff.ts'

/** How long an item waits after a failed attempt. */
export interface RetryOptions {
  /**
   * Upper limit of the first wait, in milliseconds; it doubles with every failure in a row, and each wait is drawn evenly
   * from zero to its limit. @defaultValue `100`
   */
  readonly baseDelayMs?: number | undefined
  /** Upper limit of every wait, in milliseconds. @defaultValue `30_000` */
  readonly maxDelayMs?: number | undefined
}

/** {@link RetryOptions} of blocks. */
export interface BlocksRetryOptions extends RetryOptions {
  /**
   * A block is set aside once it has failed this often while others were delivered between its failures. Internal errors
   * (500) count in full, broken and unanswered requests by half, and what says that the service as a whole is not
   * available (408, 425, 429, 502, 503, 504, no connection) not at all. @defaultValue `10`
   */
  readonly maxSoloFailures?: number | undefined
}

/** Options of an `HttpEventSink`. */
export interface HttpEventSinkOptions {
  /**
   * Soft limit, in uncompressed bytes of the blocks that are queued and in flight: once it is reached, new spans and
   * images are dropped. Each block counts 512 bytes more, for its keeping. @defaultValue `134_217_728` (128 MiB)
   */
  readonly maxQueueBytes?: number | undefined
  /**
   * Hard limit: once it is reached, new logs and metrics are dropped too. Raised to {@link maxQueueBytes} when lower.
   * @defaultValue `268_435_456` (256 MiB)
   */
  readonly hardQueueBytes?: number | undefined
  /** Requests at once, at most. @defaultValue `3` */
  readonly maxInFlightRequests?: number | undefined
  /** Limit of one attempt (connect, send, receive) and of one call of the decorator, in milliseconds. @defaultValue `10_000` */
  readonly requestTimeoutMs?: number | undefined
  /** Retries of what describes processes and streams; they go on until it is delivered. */
  readonly metadataRetry?: RetryOptions | undefined
  /** Retries of blocks; they go on as long as the block has its place in the queue. */
  readonly blocksRetry?: BlocksRetryOptions | undefined
  /**
   * Pause of all uploads after the server has refused fresh credentials (401), drawn evenly from base to maximum.
   * @defaultValue `{ baseDelayMs: 30_000, maxDelayMs: 60_000 }`
   */
  readonly unauthorizedRetry?: RetryOptions | undefined
  /** Longest `Retry-After` that is honoured, in milliseconds. @defaultValue `300_000` */
  readonly maxRetryAfterMs?: number | undefined
  /**
   * The descriptions of the process and of a stream are sent again, with the stream's next block, after this many
   * milliseconds: the server may have lost them, and does not say so. @defaultValue `300_000`
   */
  readonly metadataRefreshMs?: number | undefined
  /** Longest time a `flush()` without a signal waits, in milliseconds. @defaultValue `30_000` */
  readonly flushTimeoutMs?: number | undefined
  /** Longest time a `shutdown()` without a time of its own takes, in milliseconds. @defaultValue `5_000` */
  readonly shutdownTimeoutMs?: number | undefined
  /**
   * Directory in which undelivered blocks are kept, so that they outlive an outage longer than memory lasts, and the process.
   * Made when it does not exist. May be shared by processes; each has its own part and takes over what dead ones left.
   * @defaultValue none: blocks are kept in memory only
   */
  readonly spoolDir?: string | undefined
  /**
   * Limit of this process's files in {@link spoolDir}, in bytes; beyond it the oldest blocks go, spans and images first.
   * @defaultValue `1_073_741_824` (1 GiB)
   */
  readonly spoolMaxBytes?: number | undefined
  /**
   * Told, in one line, when uploads begin to fail, when they work again, and when data is given up; seldom, and never with
   * a secret. @defaultValue where the package's messages go
   */
  readonly warn?: ((message: string) => void) | undefined
}

/** {@link HttpEventSinkOptions} with every field filled in. */
export interface HttpEventSinkConfig {
  readonly maxQueueBytes: number
  readonly hardQueueBytes: number
  readonly maxInFlightRequests: number
  readonly requestTimeoutMs: number
  readonly metadataRetry: BackoffPolicy
  readonly blocksRetry: BackoffPolicy & { readonly maxSoloFailures: number }
  readonly unauthorizedRetry: BackoffPolicy
  readonly maxRetryAfterMs: number
  readonly metadataRefreshMs: number
  readonly flushTimeoutMs: number
  readonly shutdownTimeoutMs: number
  readonly spoolDir?: string | undefined
  readonly spoolMaxBytes: number
  readonly warn: (message: string) => void
}

const MIB = 1024 * 1024

const RETRY: BackoffPolicy = Object.freeze({ baseDelayMs: 100, maxDelayMs: 30_000 })

const DEFAULTS: HttpEventSinkConfig = Object.freeze({
  maxQueueBytes: 128 * MIB,
  hardQueueBytes: 256 * MIB,
  maxInFlightRequests: 3,
  requestTimeoutMs: 10_000,
  metadataRetry: RETRY,
  blocksRetry: Object.freeze({ ...RETRY, maxSoloFailures: 10 }),
  unauthorizedRetry: Object.freeze({ baseDelayMs: 30_000, maxDelayMs: 60_000 }),
  maxRetryAfterMs: 300_000,
  metadataRefreshMs: 300_000,
  flushTimeoutMs: 30_000,
  shutdownTimeoutMs: 5_000,
  spoolMaxBytes: 1024 * MIB,
  warn: tell,
})

const count = (
  fallback: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): z.ZodMiniType<number> => {
  const error = `expected a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}`
  return z._default(z.int(error).check(z.gte(min, error), z.lte(max, error)), fallback)
}

const section = <T extends z.core.$ZodLooseShape>(shape: T): z.ZodMiniPrefault<z.ZodMiniObject<T>> =>
  z.prefault(z.strictObject(shape), {} as never)

const delays = ({ baseDelayMs, maxDelayMs }: BackoffPolicy) => ({
  baseDelayMs: count(baseDelayMs, 0, MAX_TIMER_MS),
  maxDelayMs: count(maxDelayMs, 0, MAX_TIMER_MS),
})

/** Strict: a misspelt option is an error, not a default. */
const schema = once(() => {
  const { blocksRetry } = DEFAULTS
  return z.strictObject({
    maxQueueBytes: count(DEFAULTS.maxQueueBytes, 1),
    hardQueueBytes: count(DEFAULTS.hardQueueBytes, 1),
    maxInFlightRequests: count(DEFAULTS.maxInFlightRequests, 1, 100),
    requestTimeoutMs: count(DEFAULTS.requestTimeoutMs, 1, MAX_TIMER_MS),
    metadataRetry: section(delays(DEFAULTS.metadataRetry)),
    blocksRetry: section({ ...delays(blocksRetry), maxSoloFailures: count(blocksRetry.maxSoloFailures, 1) }),
    unauthorizedRetry: section(delays(DEFAULTS.unauthorizedRetry)),
    maxRetryAfterMs: count(DEFAULTS.maxRetryAfterMs, 0, MAX_TIMER_MS),
    metadataRefreshMs: count(DEFAULTS.metadataRefreshMs, 1, MAX_TIMER_MS),
    flushTimeoutMs: count(DEFAULTS.flushTimeoutMs, 0, MAX_TIMER_MS),
    shutdownTimeoutMs: count(DEFAULTS.shutdownTimeoutMs, 0, MAX_TIMER_MS),
    spoolDir: z.optional(z.string('expected a path').check(z.minLength(1, 'expected a path'))),
    spoolMaxBytes: count(DEFAULTS.spoolMaxBytes, 1),
    warn: z._default(
      z.custom<(message: string) => void>((value) => typeof value === 'function', 'expected a function'),
      () => DEFAULTS.warn,
    ),
  })
})

/**
 * Checks options and fills in defaults.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` that names every option that cannot be used.
 */
export function resolveHttpEventSinkOptions(options: HttpEventSinkOptions): HttpEventSinkConfig {
  if (isNothingGiven(options)) return DEFAULTS
  const parsed = schema().safeParse(options)
  if (!parsed.success) {
    throw new TelemetryError(
      'ERR_TELEMETRY_CONFIG',
      `Cannot use the options of HttpEventSink: ${optionProblems(parsed.error).join('; ')}`,
    )
  }
  const config: HttpEventSinkConfig = parsed.data
  return Object.freeze({ ...config, hardQueueBytes: Math.max(config.hardQueueBytes, config.maxQueueBytes) })
}
