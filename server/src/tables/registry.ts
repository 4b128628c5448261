import { TickConverter } from 'micromegas/wire'
import type { BlockReader, OpenStream, ProcessInfo } from './decode/block-reader.ts'
import { unreadable } from './decode/block-reader.ts'
import type { BlockFacts, InventoryChange, ItemFacts } from './decode/block-source.ts'
import { ColumnBuffer } from './decode/column-buffer.ts'
import { sortedJson } from './decode/json-text.ts'

/** A process whose description the tables have. */
export interface ProcessEntry {
  readonly number: number
  readonly processId: string
}

export interface StreamEntry {
  readonly number: number
  readonly streamId: string
  readonly process: ProcessEntry
  readonly tags: readonly string[]
  /** Of the row that stands for the thread in `thread_spans`. */
  readonly threadName: string
  readonly blocks: Set<BlockEntry>
}

export interface BlockEntry {
  readonly number: number
  readonly blockId: string
  readonly stream: StreamEntry
  /** Nanoseconds since the Unix epoch between which the events are, as the block's edges say. */
  readonly fromNs: bigint
  readonly toNs: bigint
  readonly insertNs: bigint
  readonly beginTicks: bigint
  readonly endTicks: bigint
  readonly endTimeMicros: bigint
  readonly objectOffset: bigint
  readonly eventCount: number
}

/** What is to be appended for newly known items. */
export interface RegistryRows {
  readonly processes: ColumnBuffer
  readonly streams: ColumnBuffer
  readonly blocks: ColumnBuffer
}

/** Numbers given so far, from which the next are counted. */
export interface RegistryStart {
  readonly process: number
  readonly stream: number
  readonly block: number
}

/**
 * Which processes, streams and blocks there are. A block is known once its stream and its process are: until then it
 * waits, and no view shows it.
 */
export class Registry {
  readonly processes = new Map<string, ProcessEntry>()
  readonly streams = new Map<string, StreamEntry>()
  readonly blocks = new Map<string, BlockEntry>()
  readonly rows: RegistryRows = {
    processes: new ColumnBuffer('processes', PROCESS_COLUMNS),
    streams: new ColumnBuffer('streams', STREAM_COLUMNS),
    blocks: new ColumnBuffer('blocks', BLOCK_COLUMNS),
  }
  readonly #reader: BlockReader
  readonly #warn: (message: string) => void
  readonly #waitingStreams = new Map<string, ItemFacts>()
  readonly #waitingBlocks = new Map<string, BlockFacts[]>()
  readonly #processFacts = new Map<string, ItemFacts>()
  readonly #clocks = new Map<
    string,
    { readonly info: ProcessInfo; readonly ticks: TickConverter | undefined }
  >()
  #next: { process: number; stream: number; block: number }

  constructor(reader: BlockReader, start: RegistryStart, warn: (message: string) => void) {
    this.#reader = reader
    this.#next = { ...start }
    this.#warn = warn
  }

  /** Takes up what is new; rows to append are in {@link rows} then. */
  async add(change: Pick<InventoryChange, 'processes' | 'streams' | 'blocks'>): Promise<void> {
    for (const facts of change.processes) {
      if (!this.processes.has(facts.id)) this.#processFacts.set(facts.id, facts)
    }
    for (const facts of change.streams) {
      if (!this.streams.has(facts.id)) this.#waitingStreams.set(facts.id, facts)
    }
    for (const facts of change.blocks) {
      if (this.blocks.has(facts.blockId)) continue
      const waiting = this.#waitingBlocks.get(facts.streamId)
      if (waiting === undefined) this.#waitingBlocks.set(facts.streamId, [facts])
      else waiting.push(facts)
    }
    for (const facts of [...this.#waitingStreams.values()]) await this.#openStream(facts)
    for (const [streamId, facts] of [...this.#waitingBlocks]) {
      const stream = this.streams.get(streamId)
      if (stream === undefined) continue
      this.#waitingBlocks.delete(streamId)
      const clock = await this.#clock(stream.process)
      if (clock === undefined) continue
      for (const block of facts) this.#addBlock(block, stream, clock.ticks)
    }
  }

  /** What the database held when it was opened. */
  restore(
    processes: readonly ProcessEntry[],
    streams: readonly Omit<StreamEntry, 'blocks'>[],
    blocks: readonly (Omit<BlockEntry, 'stream'> & { readonly streamId: string })[],
  ): void {
    for (const process of processes) this.processes.set(process.processId, process)
    for (const stream of streams) this.streams.set(stream.streamId, { ...stream, blocks: new Set() })
    for (const { streamId, ...rest } of blocks) {
      const stream = this.streams.get(streamId)
      if (stream === undefined) continue
      const block = { ...rest, stream }
      stream.blocks.add(block)
      this.blocks.set(block.blockId, block)
    }
  }

  /** Forgets what was deleted. @returns The blocks that are no more. */
  remove(removed: InventoryChange['removed']): BlockEntry[] {
    const gone: BlockEntry[] = []
    for (const blockId of removed.blocks) {
      const block = this.blocks.get(blockId)
      if (block === undefined) continue
      this.blocks.delete(blockId)
      block.stream.blocks.delete(block)
      gone.push(block)
    }
    for (const streamId of removed.streams) {
      this.streams.delete(streamId)
      this.#waitingStreams.delete(streamId)
      this.#waitingBlocks.delete(streamId)
    }
    for (const processId of removed.processes) {
      this.processes.delete(processId)
      this.#processFacts.delete(processId)
      this.#clocks.delete(processId)
    }
    return gone
  }

  /** The clock that span views use: one for all blocks of a process. */
  async processTicks(process: ProcessEntry): Promise<TickConverter | undefined> {
    const clock = await this.#clock(process)
    if (clock === undefined) return undefined
    if (clock.ticks !== undefined) return clock.ticks
    let endTicks = 0n
    let endTimeMicros = 0n
    for (const stream of this.streams.values()) {
      if (stream.process !== process) continue
      for (const block of stream.blocks) {
        if (block.endTicks > endTicks) endTicks = block.endTicks
        if (block.endTimeMicros > endTimeMicros) endTimeMicros = block.endTimeMicros
      }
    }
    return new TickConverter(clock.info, { endTicks, endTimeMicros })
  }

  async #openStream(facts: ItemFacts): Promise<void> {
    let open: OpenStream | undefined
    try {
      open = await this.#reader.stream(facts.id)
    } catch (error) {
      this.#warn(`Cannot read stream ${facts.id}: ${unreadable(error)}`)
    }
    if (open === undefined) {
      this.#waitingStreams.delete(facts.id)
      return
    }
    const process = await this.#openProcess(open.info.processId)
    if (process === undefined) return
    this.#waitingStreams.delete(facts.id)
    const number = this.#next.stream++
    const { info } = open
    this.rows.streams.push(
      number,
      facts.id,
      process.number,
      open.dependenciesMetadata,
      open.objectsMetadata,
      JSON.stringify(info.tags),
      sortedJson(info.properties),
      BigInt(facts.insertTimeMs) * 1_000_000n,
    )
    this.streams.set(facts.id, {
      number,
      streamId: facts.id,
      process,
      tags: info.tags,
      threadName: threadNameOf(facts.id, info.properties),
      blocks: new Set(),
    })
  }

  async #openProcess(processId: string): Promise<ProcessEntry | undefined> {
    const known = this.processes.get(processId)
    if (known !== undefined) return known
    const facts = this.#processFacts.get(processId)
    if (facts === undefined) return undefined
    let info: ProcessInfo | undefined
    try {
      info = await this.#reader.process(processId)
    } catch (error) {
      this.#warn(`Cannot read process ${processId}: ${unreadable(error)}`)
    }
    this.#processFacts.delete(processId)
    if (info === undefined) return undefined
    const number = this.#next.process++
    this.rows.processes.push(
      number,
      processId,
      info.exe,
      info.username,
      info.realname,
      info.computer,
      info.distro,
      info.cpuBrand,
      info.tscFrequency,
      BigInt.asIntN(64, info.startTimeMicros * 1000n),
      info.startTicks,
      BigInt(facts.insertTimeMs) * 1_000_000n,
      info.parentProcessId ?? '',
      sortedJson(info.properties),
    )
    const process = { number, processId }
    this.processes.set(processId, process)
    return process
  }

  async #clock(
    process: ProcessEntry,
  ): Promise<{ readonly info: ProcessInfo; readonly ticks: TickConverter | undefined } | undefined> {
    const known = this.#clocks.get(process.processId)
    if (known !== undefined) return known
    const info = await this.#reader.process(process.processId)
    if (info === undefined) return undefined
    const clock = { info, ticks: info.tscFrequency > 0n ? new TickConverter(info) : undefined }
    this.#clocks.set(process.processId, clock)
    return clock
  }

  #addBlock(facts: BlockFacts, stream: StreamEntry, ticks: TickConverter | undefined): void {
    const { blockId, beginTicks, endTicks, beginTimeMicros, endTimeMicros, objectOffset, eventCount } = facts
    const number = this.#next.block++
    const begin = ticks?.relativeToNanoseconds(beginTicks) ?? beginTimeMicros * 1000n
    const end = ticks?.relativeToNanoseconds(endTicks) ?? endTimeMicros * 1000n
    const insertNs = BigInt(facts.insertTimeMs) * 1_000_000n
    const block: BlockEntry = {
      number,
      blockId,
      stream,
      fromNs: begin < end ? begin : end,
      toNs: begin < end ? end : begin,
      insertNs,
      beginTicks,
      endTicks,
      endTimeMicros,
      objectOffset,
      eventCount,
    }
    this.rows.blocks.push(
      number,
      blockId,
      stream.number,
      stream.process.number,
      BigInt.asIntN(64, beginTimeMicros * 1000n),
      beginTicks,
      BigInt.asIntN(64, endTimeMicros * 1000n),
      endTicks,
      eventCount,
      objectOffset,
      BigInt(facts.payloadBytes ?? -1),
      insertNs,
    )
    stream.blocks.add(block)
    this.blocks.set(blockId, block)
  }
}

const PROCESS_COLUMNS = [
  'i32',
  'text',
  'text',
  'text',
  'text',
  'text',
  'text',
  'text',
  'i64',
  'i64',
  'i64',
  'i64',
  'text',
  'text',
] as const
const STREAM_COLUMNS = ['i32', 'text', 'i32', 'bytes', 'bytes', 'text', 'text', 'i64'] as const
const BLOCK_COLUMNS = [
  'i32',
  'text',
  'i32',
  'i32',
  'i64',
  'i64',
  'i64',
  'i64',
  'i32',
  'i64',
  'i64',
  'i64',
] as const

/** As the reference names the thread of a `cpu` stream. */
export function threadNameOf(streamId: string, properties: Readonly<Record<string, string>>): string {
  const name = properties['thread-name'] ?? ''
  const id = properties['thread-id'] || streamId
  return name === '' ? id : `${name}-${id}`
}
