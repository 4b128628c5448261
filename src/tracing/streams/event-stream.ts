import type { SealedBlock, StreamInfo, StreamKind } from '../../model/event-sink.ts'
import { randomUuid } from '../../model/runtime/random-uuid.ts'
import { DependencyWriter } from '../../transit/dependency-writer.ts'
import { readTicks } from '../clock.ts'
import { giveBackMemory, once, takeMemory } from './block-memory.ts'
import type { StreamLayout } from './stream-layouts.ts'

/** Bytes kept per stream for what is recorded before telemetry starts (module initialisation, imports). */
const EARLY_BYTES = 64 * 1024

/** With less than this left of them the stream takes nothing more, whatever its size. */
const EARLY_REST_BYTES = 1024

/** A block is sealed early once its dependency section holds this much. */
const MAX_DEPENDENCY_BYTES = 512 * 1024

/** Blocks sealed for the sake of one event, where the receivers of each fill the next: past it the event is dropped. */
const MAX_SEALS = 3

const EMPTY_VIEW = new DataView(new ArrayBuffer(0))
const EMPTY_BYTES = Buffer.alloc(0)

/** Epochs are unique over all streams and blocks of the thread, so a stale one never matches by accident. */
let lastEpoch = 0

export interface StreamStats {
  /** Events written to a block. */
  readonly recorded: number
  /** Events lost because telemetry had not started and the early buffer was full, or had stopped. */
  readonly dropped: number
  /** Events left out because they cannot be written: NaN or infinite metrics, unbalanced span ends, oversized images. */
  readonly invalid: number
}

/**
 * One stream: the open block's buffer, written by the recording functions of the stream's kind, and the sealing of it.
 *
 * A recording function checks two integers before it writes: that the event fits (`cursor + size <= capacity`) and that
 * what it refers to is listed in the open block (`something.epoch === stream.epoch`). Whatever is out of the ordinary
 * (no buffer yet, full, not started, stopped, a new block) fails one of the two and lands in {@link prepare}.
 */
export class EventStream {
  readonly kind: StreamKind
  readonly dependencies: DependencyWriter
  /** The open block's bytes, and a view of the same memory. */
  bytes: Buffer = EMPTY_BYTES
  view: DataView = EMPTY_VIEW
  /** Offset of the next event in the open block. */
  cursor = 0
  /** Bytes the open block may hold; 0 while nothing can be written. */
  capacity = 0
  /** Changes with every block: a dependency listed under another epoch must be listed again. */
  epoch = 0
  /** Events in the open block. */
  eventCount = 0
  /** True while no event can be written whatever its size: recording functions ask before they do more than compare. */
  refusing = false
  /** Told of events that come after the stream was closed. */
  onLate: (() => void) | undefined = undefined

  readonly #layout: StreamLayout
  readonly #blockBytes: number
  #state: 'early' | 'open' | 'off' | 'closed' = 'early'
  #info: StreamInfo | undefined
  #onBlock: ((block: SealedBlock) => void) | undefined
  #beginTicks = 0n
  #objectOffset = 0
  #recordedBefore = 0
  #dropped = 0
  /** What {@link #dropped} was when the stream was turned off. */
  #droppedBeforeOff = 0
  #invalid = 0

  constructor(kind: StreamKind, layout: StreamLayout, blockBytes: number) {
    this.kind = kind
    this.dependencies = new DependencyWriter()
    this.#layout = layout
    this.#blockBytes = blockBytes
    this.epoch = ++lastEpoch
  }

  /** Starts delivery: what was recorded early becomes the first block's content. */
  open(
    processId: string,
    beginTicks: bigint,
    properties: Readonly<Record<string, string>>,
    onBlock: (block: SealedBlock) => void,
  ): void {
    this.#info = {
      streamId: randomUuid(),
      processId,
      kind: this.kind,
      dependenciesMetadata: this.#layout.dependencies,
      objectsMetadata: this.#layout.objects,
      properties,
    }
    this.#onBlock = onBlock
    this.#beginTicks = beginTicks
    this.#recordedBefore += this.#objectOffset
    this.#objectOffset = 0
    if (this.#state === 'off') this.#dropped = this.#droppedBeforeOff
    this.#state = 'open'
    this.refusing = false
    this.onLate = undefined
  }

  /**
   * Seals what is there and stops: later events are counted as dropped, until the stream is opened again.
   *
   * @param onLate - Called with each of them, unless nobody took this kind of events anyway.
   */
  close(onLate?: () => void): void {
    this.seal()
    if (this.#state !== 'off') {
      this.#state = 'closed'
      this.onLate = onLate
    }
    this.refusing = true
    this.#release()
  }

  /** Stops and forgets what is there, for nobody takes this kind of events: later ones cost nothing and count nowhere. */
  turnOff(): void {
    if (this.#state !== 'off') this.#droppedBeforeOff = this.#dropped
    this.#state = 'off'
    this.refusing = true
    this.onLate = undefined
    this.#release()
  }

  get stats(): StreamStats {
    return {
      recorded: this.#recordedBefore + this.#objectOffset + this.eventCount,
      dropped: this.#state === 'off' ? this.#droppedBeforeOff : this.#dropped,
      invalid: this.#invalid,
    }
  }

  /**
   * Makes room for `size` bytes in a block that can take more dependencies, sealing the open block when it must.
   *
   * @returns False when the event cannot be recorded now; it has been counted as dropped.
   */
  prepare(size: number): boolean {
    if (this.refusing) {
      this.refuse()
      return false
    }
    if (this.#fits(size)) return true
    if (this.#state === 'early') return this.#prepareEarly(size)
    // The receivers of a sealed block may record into the next one, or close the stream.
    for (let attempt = 0; attempt < MAX_SEALS && this.#state === 'open'; attempt++) {
      this.seal()
      if (this.#fits(size)) return true
      if (this.#state === 'open' && this.eventCount === 0) {
        const capacity = Math.max(size, this.#blockBytes)
        this.#startBlock(takeMemory(capacity), capacity)
        return true
      }
    }
    this.#dropped++
    return false
  }

  /** Counts events that come while the stream is {@link refusing}. */
  refuse(count = 1): void {
    this.#dropped += count // without a look at the state: it is what calls cost that come before the start
    if (this.onLate !== undefined) this.onLate()
  }

  /** Says that an event of the open block is of that time: blocks that are written later than it begin with it. */
  protected noteTime(ticks: bigint): void {
    if (ticks < this.#beginTicks) this.#beginTicks = ticks
  }

  /** Counts an event that cannot be written whatever the room. */
  countInvalid(): void {
    this.#invalid++
  }

  /** Hands the open block to the sinks and opens the next one; nothing to do when the block is empty. */
  seal(): void {
    const info = this.#info
    if (this.#state !== 'open' || info === undefined || this.eventCount === 0) return
    const endTicks = readTicks()
    const { bytes, cursor, eventCount, capacity } = this
    // Events are copied out of a buffer they fill less than half: a block in a queue must not hold memory it does not
    // need. The buffer is used again if it is of the usual size.
    const copied = cursor * 2 < capacity
    const reusable = copied && capacity === this.#blockBytes
    const block: SealedBlock = {
      blockId: randomUuid(),
      stream: info,
      beginTicks: this.#beginTicks,
      endTicks,
      dependencies: this.dependencies.take(),
      objects: copied ? Uint8Array.prototype.slice.call(bytes, 0, cursor) : bytes.subarray(0, cursor),
      eventCount,
      objectOffset: this.#objectOffset,
      release: copied ? undefined : once(() => giveBackMemory(bytes)),
    }
    this.#beginTicks = endTicks
    this.#objectOffset += eventCount
    if (reusable) this.#startBlock(bytes, capacity)
    else this.#startBlock(EMPTY_BYTES, 0)
    this.#onBlock?.(block)
  }

  #fits(size: number): boolean {
    return this.cursor + size <= this.capacity && this.dependencies.length < MAX_DEPENDENCY_BYTES
  }

  #release(): void {
    this.#startBlock(EMPTY_BYTES, 0)
    this.dependencies.take()
  }

  #prepareEarly(size: number): boolean {
    if (this.capacity === 0 && size <= EARLY_BYTES) {
      this.#startBlock(Buffer.allocUnsafeSlow(EARLY_BYTES), EARLY_BYTES)
      return true
    }
    // A large event leaves the room that is left to smaller ones.
    if (this.capacity > 0 && !this.#fits(EARLY_REST_BYTES)) this.refusing = true
    this.#dropped++
    return false
  }

  #startBlock(bytes: Buffer, capacity: number): void {
    this.bytes = bytes
    this.view =
      bytes === EMPTY_BYTES ? EMPTY_VIEW : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.capacity = capacity
    this.cursor = 0
    this.eventCount = 0
    this.epoch = ++lastEpoch
  }
}
