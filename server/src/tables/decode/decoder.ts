import {
  isThreadSpanEvent,
  rebuildThreadSpans,
  type ThreadSpanBlock,
  type TransitObject,
} from 'micromegas/wire'
import { LruCache } from '../../scan/lru-cache.ts'
import { hourOf } from '../parts.ts'
import type { BlockEntry, Registry } from '../registry.ts'
import type { DecodedViewSet } from '../schema.ts'
import { type BlockReader, blockClock, type OpenStream, unreadable } from './block-reader.ts'
import type { DecodedLog } from './decoded-log.ts'
import type { EventRows } from './event-rows.ts'
import { payloadSize } from './payload-size.ts'

/** Bytes, about, of thread span events that are kept: the calls of an hour are rebuilt with each of its blocks that comes. */
const CALLS_BYTES = 64 * 1024 * 1024
/** Of the objects of a block, over their bytes in it, which are compressed. */
const OBJECTS_FACTOR = 10
/** Stands for an event that is none of a thread span, so that the others keep their places. */
const PASSED_OVER: TransitObject = {
  typeName: '',
  members: new Map(),
  get: () => undefined,
  kind: () => undefined,
}

/** Turns blocks into rows. A block that cannot be read is told once and noted: it is not tried again. */
export class Decoder {
  readonly #reader: BlockReader
  readonly #registry: Registry
  readonly #rows: EventRows
  readonly #warn: (message: string) => void
  readonly #calls = new LruCache<readonly TransitObject[]>(CALLS_BYTES)

  constructor(reader: BlockReader, registry: Registry, rows: EventRows, warn: (message: string) => void) {
    this.#reader = reader
    this.#registry = registry
    this.#rows = rows
    this.#warn = warn
  }

  async decode(
    viewSet: Exclude<DecodedViewSet, 'thread_spans'>,
    block: BlockEntry,
    log: DecodedLog,
  ): Promise<void> {
    const stream = await this.#reader.stream(block.stream.streamId)
    const process = await this.#reader.process(block.stream.process.processId)
    try {
      const body = await this.#reader.block(block.blockId)
      // Deleted meanwhile: a change that says so is on its way.
      if (body === undefined || stream === undefined || process === undefined) return
      const objects = this.#reader.objects(body, stream)
      // Async spans have one clock for all blocks of a process, as thread spans have; the others that of the block.
      const isSpan = viewSet === 'async_events'
      const ticks = isSpan
        ? await this.#registry.processTicks(block.stream.process)
        : blockClock(process, body)
      if (ticks !== undefined) log.add(block, this.#rows.addBlock(viewSet, block.number, objects, ticks))
    } catch (error) {
      this.#unreadable(viewSet, block, log, error)
    }
  }

  /**
   * Rebuilds the calls of a stream in the hour in which a block was inserted.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when begins and ends do not fit: there are no spans then.
   */
  async decodeSpans(example: BlockEntry, log: DecodedLog): Promise<void> {
    const { stream } = example
    const hour = hourOf(example)
    const open = await this.#reader.stream(stream.streamId)
    const ticks = await this.#registry.processTicks(stream.process)
    if (open === undefined || ticks === undefined) return
    const blocks: ThreadSpanBlock[] = []
    for (const block of stream.blocks) {
      if (hourOf(block) !== hour) continue
      try {
        const objects = await this.#threadSpanEvents(block, open)
        if (objects === undefined) continue
        const { blockId, beginTicks, endTicks, objectOffset } = block
        blocks.push({ blockId, beginTicks, endTicks, objectOffset, objects })
        log.add(block, { rowCount: objects.length, bytes: 0n, minNs: block.fromNs, maxNs: block.toNs })
      } catch (error) {
        this.#unreadable('thread_spans', block, log, error)
      }
    }
    for (const row of rebuildThreadSpans(blocks, ticks, stream.threadName)) {
      const place = this.#rows.places.numberOf(row)
      const properties = this.#rows.properties.numberOfSet(row.properties)
      const { id, parent, depth, beginNs, endNs } = row
      this.#rows.spans.push(stream.number, hour, id, parent, depth, beginNs, endNs, place, properties)
    }
  }

  /** The events of a block at their places, those that are none of thread spans passed over; `undefined` when it is gone. */
  async #threadSpanEvents(
    { blockId }: BlockEntry,
    stream: OpenStream,
  ): Promise<readonly TransitObject[] | undefined> {
    const kept = this.#calls.get(blockId)
    if (kept !== undefined) return kept
    const body = await this.#reader.block(blockId)
    if (body === undefined) return undefined
    let found = false
    const events = Array.from(this.#reader.objects(body, stream), (event) => {
      if (!isThreadSpanEvent(event)) return PASSED_OVER
      found = true
      return event
    })
    const bytes = events.length * 8 + (found ? OBJECTS_FACTOR * body.objects.length : 0)
    this.#calls.set(blockId, events, bytes)
    return events
  }

  /** Bytes of a block's payload; 0 when it is gone or unreadable. */
  async payloadSize(blockId: string): Promise<number> {
    try {
      const body = await this.#reader.block(blockId)
      return body === undefined ? 0 : payloadSize(body.dependencies.length, body.objects.length)
    } catch (error) {
      unreadable(error)
      return 0
    }
  }

  #unreadable(viewSet: DecodedViewSet, block: BlockEntry, log: DecodedLog, error: unknown): void {
    this.#warn(`Cannot show block ${block.blockId} in ${viewSet}: ${unreadable(error)}`)
    log.addUnreadable(block)
  }
}
