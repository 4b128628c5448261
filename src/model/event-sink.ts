import type { UserDefinedType } from '../transit/reflection.ts'
import type { Level } from './level.ts'
import type { ProcessInfo } from './process-info.ts'

/** What a stream holds; it is also the stream's tag on the wire, which selects the server's view. */
export type StreamKind = 'log' | 'metrics' | 'cpu' | 'image'

/** A stream of blocks of one kind: its identity and the layout of its records. */
export interface StreamInfo {
  /** Random UUID. */
  readonly streamId: string
  readonly processId: string
  readonly kind: StreamKind
  readonly dependenciesMetadata: readonly UserDefinedType[]
  readonly objectsMetadata: readonly UserDefinedType[]
  readonly properties: Readonly<Record<string, string>>
}

/**
 * A finished block of events. Immutable until it is released; the sinks share its bytes without a copy.
 */
export interface SealedBlock {
  /** Random UUID, fixed here so that every delivery attempt of the block carries the same one. */
  readonly blockId: string
  readonly stream: StreamInfo
  /** Monotonic counter when the block was opened; equal to the previous block's {@link endTicks}. */
  readonly beginTicks: bigint
  /** Monotonic counter when the block was sealed. */
  readonly endTicks: bigint
  /** Transit dependency section, uncompressed; empty when the block has none. */
  readonly dependencies: Uint8Array
  /** Transit object section, uncompressed. */
  readonly objects: Uint8Array
  /** Events in the block, at least 1. */
  readonly eventCount: number
  /** Events in all earlier blocks of the stream, dropped ones included. */
  readonly objectOffset: number
  /**
   * Tells that the sink will not read {@link objects} again: their memory is used for later events once every sink that got
   * the block has said so. A sink that never does keeps its blocks for as long as it refers to them.
   */
  readonly release?: (() => void) | undefined
}

/** One log event, as it is handed to sinks that show logs at once. */
export interface LogEntry {
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number
  readonly level: Level
  readonly target: string
  readonly msg: string
  readonly properties: Readonly<Record<string, string>> | undefined
}

/** Events and blocks of one outcome. Process and stream metadata count in neither. */
export interface DeliveryCount {
  readonly blocks: number
  readonly events: number
}

/** What a flush or a shutdown did with the blocks that were there when it was called. */
export interface DeliveryReport {
  /** Acknowledged by the server. */
  readonly delivered: DeliveryCount
  /** Given up: refused by the server, shed, or abandoned at the deadline of a shutdown. */
  readonly dropped: DeliveryCount
  /** Kept on disk for a later process. */
  readonly spooled: DeliveryCount
  /** Still queued when the wait ended; always zero after a shutdown. */
  readonly pending: DeliveryCount
}

/** How a flush waits. */
export interface FlushOptions {
  /** Ends the waiting; what is not sent then stays queued and counts as pending. */
  readonly signal?: AbortSignal | undefined
  /**
   * The process is about to end, so there may be no later: what is held is tried at once, and again and again, whatever
   * the wait that a failure or the server has asked for. @defaultValue `false`
   */
  readonly final?: boolean | undefined
}

/**
 * Takes what is recorded. Implementations never throw and never block: `onLog` and `onBlock` run inside the host's
 * recording calls.
 */
export interface EventSink {
  /** Called once, before anything else, with the process that the blocks belong to. */
  onStartup(process: ProcessInfo): void
  /** Called with every log event within the sink's level; absent on sinks that only take blocks. */
  onLog?(entry: LogEntry): void
  /** Called with every sealed block; absent on sinks that only show logs. */
  onBlock?(block: SealedBlock): void
  /** Sends what is held when it is called and waits for the outcome. Never rejects. */
  flush(options?: FlushOptions): Promise<DeliveryReport>
  /** Flushes, then stops for good, within the time given. Every call returns the same promise. Never rejects. */
  shutdown(options?: { readonly timeoutMs?: number | undefined }): Promise<DeliveryReport>
  /**
   * Last but one call of a process that ends in an `exit` handler: delivers what it holds before returning, in at most
   * `timeoutMs`, or gives it up. Blocks that are recorded by other handlers may still come. Never throws.
   */
  flushSync?(timeoutMs: number): void
  /**
   * Last call of a process that ends in an `exit` handler, where no promise runs any more: delivers what it can before
   * returning, in at most `timeoutMs`. Never throws.
   */
  shutdownSync?(timeoutMs: number): void
}
