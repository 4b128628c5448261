import type { DecodedStream, TransitObject } from 'micromegas/wire'
import type { StoredBlock } from '../store/store-index.ts'
import type { BlockChecker, BlockState } from './block-checker.ts'
import { type DecodedProcess, formatReason } from './catalog.ts'
import { DEFAULT_LIMIT, type QueryContext } from './event-query.ts'

/** Blocks and events of a stream or process. */
export interface Volume {
  readonly blocks: number
  /** As the blocks say. */
  readonly events: number
  /** Bytes of the request bodies. */
  readonly bytes: number
  /** Latest end of a block, in nanoseconds since the Unix epoch. */
  readonly lastTimeNs: bigint | undefined
}

export interface ProcessRow extends DecodedProcess, Volume {
  /** Milliseconds since the Unix epoch, on the server's clock. */
  readonly insertTimeMs: number
  readonly streams: number
}

export interface StreamRow extends DecodedStream, Volume {
  readonly insertTimeMs: number
}

export interface BlockRow extends StoredBlock {
  readonly state: BlockState
  /** Why the block is unreadable. */
  readonly reason: string | undefined
}

export interface ProcessQuery {
  /** Part of the program's name, in any case. */
  readonly exe?: string | undefined
  /** 1 to 10,000. @defaultValue `100` */
  readonly limit?: number | undefined
  /** Goes on after this process. */
  readonly after?: { readonly insertTimeMs: number; readonly id: string } | undefined
}

export interface BlockQuery {
  readonly processId?: string | undefined
  readonly streamId?: string | undefined
  readonly state?: BlockState | undefined
  readonly limit?: number | undefined
  readonly after?: { readonly insertTimeMs: number; readonly id: string } | undefined
}

export interface InventoryPage<Row> {
  readonly rows: readonly Row[]
  /** What `after` takes to go on; `undefined` at the end. */
  readonly next: { readonly insertTimeMs: number; readonly id: string } | undefined
}

/** Processes read for one page, whether or not they are on it. */
const MAX_LOOKS = 5_000

/** Processes, the latest inserted first. A page may end early, before the last process. */
export async function queryProcesses(
  context: QueryContext,
  query: ProcessQuery,
): Promise<InventoryPage<ProcessRow>> {
  const { exe = '', limit = DEFAULT_LIMIT, after } = query
  const stored = [...context.store.index.processes.values()].map(({ processId: id, insertTimeMs }) => ({
    id,
    insertTimeMs,
  }))
  const rows: ProcessRow[] = []
  let looks = 0
  let lastLook: Inserted | undefined
  for (const { id, insertTimeMs } of latestFirst(stored, after)) {
    context.signal?.throwIfAborted()
    if (++looks > MAX_LOOKS) return { rows, next: lastLook }
    lastLook = { insertTimeMs, id }
    const row = await readProcess(context, id)
    if (row === undefined || !row.exe.toLowerCase().includes(exe.toLowerCase())) continue
    if (rows.length === limit) {
      const last = rows[limit - 1]!
      return { rows, next: { insertTimeMs: last.insertTimeMs, id: last.processId } }
    }
    rows.push(row)
  }
  return { rows, next: undefined }
}

export async function readProcess(context: QueryContext, processId: string): Promise<ProcessRow | undefined> {
  const { store, catalog } = context
  const stored = store.index.processes.get(processId)
  const info = await catalog.process(processId)
  if (stored === undefined || info === undefined) return undefined
  return {
    ...info,
    insertTimeMs: stored.insertTimeMs,
    streams: store.index.streamsOf(processId).size,
    ...volumeOf(catalog.blocksOfProcess(processId)),
  }
}

/** The streams of a process in the order they were inserted. */
export async function readStreams(
  { store, catalog, signal }: QueryContext,
  processId: string,
): Promise<StreamRow[]> {
  const rows: StreamRow[] = []
  for (const { streamId, insertTimeMs } of store.index.streamsOf(processId)) {
    signal?.throwIfAborted()
    const stream = await catalog.stream(streamId)
    if (stream === undefined) continue
    rows.push({ ...stream.info, insertTimeMs, ...volumeOf(store.index.blocksOf(streamId)) })
  }
  return rows
}

/** Blocks, the latest inserted first; those without stream or process too. */
export function queryBlocks(
  { store }: QueryContext,
  checker: BlockChecker,
  query: BlockQuery,
): InventoryPage<BlockRow> {
  const { processId, streamId, state, limit = DEFAULT_LIMIT, after } = query
  const { index } = store
  const candidates = streamId === undefined ? index.blocks.values() : index.blocksOf(streamId)
  const wanted: { block: StoredBlock; insertTimeMs: number; id: string }[] = []
  for (const block of candidates) {
    const owner = index.streams.get(block.streamId)?.processId ?? block.processId
    if (processId !== undefined && owner !== processId) continue
    if (state !== undefined && checker.stateOf(block).state !== state) continue
    wanted.push({ block, insertTimeMs: block.insertTimeMs, id: block.blockId })
  }
  const ordered = latestFirst(wanted, after)
  const rows = ordered.slice(0, limit).map(({ block }) => ({ ...block, ...checker.stateOf(block) }))
  const last = rows.at(-1)
  const hasMore = ordered.length > limit && last !== undefined
  return { rows, next: hasMore ? { insertTimeMs: last.insertTimeMs, id: last.blockId } : undefined }
}

/** One event as it was parsed, before any view makes something of it. */
export interface RawEvent {
  /** Index in the block. */
  readonly index: number
  readonly object: TransitObject
}

export type RawEvents =
  | { readonly state: 'open'; readonly rows: readonly RawEvent[]; readonly hasMore: boolean }
  | { readonly state: 'waiting'; readonly for: 'stream' | 'process' }
  | { readonly state: 'unreadable'; readonly reason: string }

/** Every event of a block with all its members, as the reference's `parse_block` gives them. */
export async function readRawEvents(
  { catalog }: QueryContext,
  block: StoredBlock,
  from: number,
  limit: number,
): Promise<RawEvents | undefined> {
  const outcome = await catalog.open(block)
  if (outcome.state === 'gone') return undefined
  if (outcome.state !== 'open') return outcome
  const rows: RawEvent[] = []
  let index = 0
  try {
    for (const object of outcome.block.objects()) {
      if (index >= from && rows.length < limit) rows.push({ index, object })
      index += 1
    }
  } catch (error) {
    return { state: 'unreadable', reason: formatReason(error) }
  }
  return { state: 'open', rows, hasMore: index > from + limit }
}

function volumeOf(blocks: Iterable<StoredBlock>): Volume {
  let count = 0
  let events = 0
  let bytes = 0
  let lastMicros: bigint | undefined
  for (const block of blocks) {
    count += 1
    events += block.eventCount
    bytes += block.bodyBytes
    if (lastMicros === undefined || block.endTimeMicros > lastMicros) lastMicros = block.endTimeMicros
  }
  return {
    blocks: count,
    events,
    bytes,
    lastTimeNs: lastMicros === undefined ? undefined : lastMicros * 1000n,
  }
}

interface Inserted {
  readonly insertTimeMs: number
  readonly id: string
}

function latestFirst<T extends Inserted>(items: readonly T[], after: Inserted | undefined): T[] {
  const order = (a: Inserted, b: Inserted): number =>
    b.insertTimeMs - a.insertTimeMs || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
  return items.filter((item) => after === undefined || order(after, item) < 0).sort(order)
}
