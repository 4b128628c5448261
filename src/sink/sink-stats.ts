import type { DeliveryCount } from '../model/event-sink.ts'
import type { SpoolStats } from './spool/spool.ts'
import type { DropCount, KindCount } from './upload/delivery-ledger.ts'

/**
 * How uploads stand: `working` until shown otherwise, `unreachable` while attempts fail, `unauthorized` while the server
 * refuses our credentials, `closed` after the shutdown.
 */
export type SinkState = 'working' | 'unreachable' | 'unauthorized' | 'closed'

/**
 * What a sink has done since it was made. Blocks and events add up at every moment:
 * `enqueued = delivered + dropped + spooled + pending`.
 */
export interface SinkStats {
  readonly state: SinkState
  /** Handed to the sink, and {@link adopted}. */
  readonly enqueued: DeliveryCount
  /** Taken over from the spool of an earlier process. */
  readonly adopted: DeliveryCount
  /** Acknowledged by the server. */
  readonly delivered: DeliveryCount
  /** The same by kind, without what was {@link adopted}. */
  readonly deliveries: readonly KindCount[]
  /** Given up; {@link drops} says what and why. */
  readonly dropped: DeliveryCount
  /** Left on disk by the shutdown, for a later process. */
  readonly spooled: DeliveryCount
  /** Queued, waiting for another attempt, or in flight; in memory or on disk. */
  readonly pending: DeliveryCount
  /** By kind and reason; those of metadata count in no other field. */
  readonly drops: readonly DropCount[]
  /** Uncompressed bytes held, as the byte budgets count them. */
  readonly heldBytes: number
  /** What is on disk now; undefined without a spool. */
  readonly spool: SpoolStats | undefined
  /** Requests under way. */
  readonly inFlightRequests: number
  /** Attempts made, answered or not. */
  readonly attempts: number
  /** Attempts that failed and were, or will be, repeated. */
  readonly failedAttempts: number
  /** Requests repeated at once since the server had closed the kept connection; no failed attempts. */
  readonly staleConnections: number
}
