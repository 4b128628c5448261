import {
  type AsyncSpanEvent,
  pairAsyncSpans,
  readAsyncSpanEvents,
  rebuildThreadSpans,
  type SpanRow,
  THREAD_ROW_ID,
  type ThreadSpanBlock,
  type TickConverter,
  textMatcher,
} from 'micromegas/wire'
import { compare } from '../nanoseconds.ts'
import { type DecodedProcess, formatReason, type OpenBlock } from './catalog.ts'
import {
  DEFAULT_LIMIT,
  type EventQuery,
  type PropertyFilter,
  propertyMatcher,
  type QueryContext,
  selectBlocks,
} from './event-query.ts'
import type { EventOrder, ScanSource } from './scan.ts'

export interface SpanQuery extends Omit<EventQuery, 'cursor' | 'order'>, PropertyFilter {
  /** `longest` gives one page, of the spans that take the most time. @defaultValue `newest` */
  readonly order?: SpanOrder | undefined
  /** Synchronous (`thread`) or async spans. @defaultValue both */
  readonly kind?: 'thread' | 'async' | undefined
  /** Whole, or by its beginning with a `*` at the end. */
  readonly name?: string | undefined
  readonly target?: string | undefined
  /** Shortest span of interest, in nanoseconds. */
  readonly minDurationNs?: bigint | undefined
  readonly cursor?: SpanCursor | undefined
}

export type SpanOrder = EventOrder | 'longest'

/** What is wrong with a cursor there. */
export const ONE_PAGE = 'the longest spans are one page'

/** A span of a process. Of thread spans, `id` and `parent` count within the stream; of async ones, within the process. */
export interface SpanEntry extends SpanRow {
  readonly kind: 'thread' | 'async'
  readonly processId: string
  readonly exe: string
  /** `undefined` for async spans: their begin and end may be in different streams. */
  readonly streamId: string | undefined
}

/** The spans of a stream or process that cannot be rebuilt, and why. */
export interface SpanProblem {
  readonly processId: string | undefined
  readonly streamId: string | undefined
  readonly reason: string
}

export interface SpanPage {
  readonly rows: readonly SpanEntry[]
  readonly nextCursor: string | undefined
  readonly problems: readonly SpanProblem[]
}

/** A span to go on after; the owner is a stream for thread spans, a process for async ones. */
export interface SpanCursor {
  readonly beginNs: bigint
  readonly ownerId: string
  readonly id: bigint
}

/** Events read for one page: as spans they take some hundred MB. At least one block is always read. */
const BUDGET_EVENTS = 500_000
/** Blocks whose event count is a lie end here. */
const BUDGET_SECTION_BYTES = 256 * 1024 * 1024
/** Events read beside the time asked for, the nearest first, for spans that reach into it or out of it. */
const BUDGET_AROUND_EVENTS = 100_000
/** A block costs this at least: opening one takes as long as reading so many more of another. */
const MIN_BLOCK_EVENTS = 64
const MAX_PROBLEMS = 20
/** Places before and after all spans of an instant: no id of a stream or process sorts so. */
const BEFORE_ALL_OWNERS = ''
const AFTER_ALL_OWNERS: string = 'f'.repeat(36)

export function formatSpanCursor({ beginNs, ownerId, id }: SpanCursor): string {
  return `${beginNs}_${ownerId}_${id}`
}

/** @returns `undefined` when the text is none that {@link formatSpanCursor} wrote. */
export function parseSpanCursor(text: string): SpanCursor | undefined {
  const [, begin, ownerId, id] = /^(-?\d{1,19})_([0-9a-f-]{0,36})_(-?\d{1,20})$/.exec(text) ?? []
  if (begin === undefined || ownerId === undefined || id === undefined) return undefined
  return { beginNs: BigInt(begin), ownerId, id: BigInt(id) }
}

/**
 * Rebuilds the spans of a time, ordered by their begin: those that have any part of theirs in it. Call trees are replayed
 * from the blocks of that time and from those beside it, as far as the budget goes: where that cuts a tree, spans begin or
 * end at the edge of the blocks.
 */
export async function querySpans(context: QueryContext, query: SpanQuery): Promise<SpanPage> {
  const order = query.order ?? 'newest'
  const limit = query.limit ?? DEFAULT_LIMIT
  const { chosen, edgeNs, isPartial, isCut } = await chooseBlocks(context, query, order)
  const problems: SpanProblem[] = []
  if (isCut) {
    const reason = `of the events beside this time, the nearest ${BUDGET_AROUND_EVENTS} were read: spans that began long before it, or ended long after it, are cut or missing`
    problems.push({ processId: query.processId, streamId: query.streamId, reason })
  }
  if (isPartial) {
    const reason = `there are more than ${BUDGET_EVENTS} span events in this time: spans that reach over the edge of a page are cut or missing; narrow since and until`
    problems.push({ processId: query.processId, streamId: query.streamId, reason })
  }
  const spans: SpanEntry[] = []
  for (const [processId, blocks] of byProcess(context, chosen)) {
    const process = await context.catalog.process(processId)
    if (process === undefined) continue
    const open = await openAll(context, process, blocks, problems)
    if (open.blocks.length === 0) continue
    let ticks: TickConverter
    try {
      ticks = context.catalog.processTicks(process)
    } catch (error) {
      problems.push({ processId, streamId: undefined, reason: formatReason(error) })
      continue
    }
    if (query.kind !== 'async') spans.push(...threadSpans(process, open, ticks, problems))
    if (query.kind !== 'thread') spans.push(...asyncSpans(process, open, ticks, problems))
  }
  const isByLength = order === 'longest'
  const sign = order === 'oldest' ? 1 : -1
  const hasProperties = propertyMatcher(query)
  const isName = textMatcher(query.name)
  const isTarget = textMatcher(query.target)
  const { sinceNs, untilNs, minDurationNs = 0n, cursor } = query
  const found = spans
    .filter(
      (span) =>
        isName(span.name) &&
        isTarget(span.target) &&
        hasProperties(span.properties) &&
        span.durationNs >= minDurationNs &&
        (sinceNs === undefined || span.endNs >= sinceNs) &&
        (untilNs === undefined || span.beginNs < untilNs) &&
        (cursor === undefined || sign * comparePlaces(placeOf(span), cursor) > 0) &&
        // Past the blocks read, spans are not complete.
        (edgeNs === undefined || sign * compare(span.beginNs, edgeNs) < 0),
    )
    .sort(
      (a, b) =>
        (isByLength ? compare(b.durationNs, a.durationNs) : 0) ||
        sign * comparePlaces(placeOf(a), placeOf(b)),
    )
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  let next: SpanCursor | undefined
  if (isByLength) next = undefined
  else if (found.length > limit && last !== undefined) next = placeOf(last)
  else if (edgeNs !== undefined) {
    next = { beginNs: edgeNs, ownerId: order === 'oldest' ? BEFORE_ALL_OWNERS : AFTER_ALL_OWNERS, id: 0n }
  }
  return {
    rows,
    nextCursor: next === undefined ? undefined : formatSpanCursor(next),
    problems: problems.slice(0, MAX_PROBLEMS),
  }
}

interface ChosenBlocks {
  readonly chosen: readonly ScanSource[]
  /** Where the first block left out starts. */
  readonly edgeNs: bigint | undefined
  readonly isPartial: boolean
  /** Whether there are blocks beside the time asked for that were not chosen. */
  readonly isCut: boolean
}

/** All blocks of the time asked for; where they are too many, those that the page needs first. */
async function chooseBlocks(
  context: QueryContext,
  query: SpanQuery,
  order: SpanOrder,
): Promise<ChosenBlocks> {
  const { sinceNs, untilNs, cursor, processId, streamId } = query
  const all = await context.catalog.sources(selectBlocks(context, 'cpu', { processId, streamId }))
  const isInTime = ({ fromNs, toNs }: ScanSource): boolean =>
    (sinceNs === undefined || toNs >= sinceNs) && (untilNs === undefined || fromNs < untilNs)
  const inTime = all.filter(isInTime)
  const total = inTime.reduce((sum, { block }) => sum + costOf(block), 0)
  if (total <= BUDGET_EVENTS) {
    const beside = nearest(
      all.filter((source) => !isInTime(source)),
      sinceNs,
      untilNs,
    )
    return { chosen: [...inTime, ...beside.chosen], edgeNs: undefined, isPartial: false, isCut: beside.isCut }
  }

  const sign = order === 'oldest' ? 1 : -1
  const edgeOf = (source: ScanSource): bigint => (order === 'oldest' ? source.fromNs : source.toNs)
  const sources = inTime
    .filter(
      ({ fromNs, toNs }) =>
        cursor === undefined || (order === 'oldest' ? toNs >= cursor.beginNs : fromNs <= cursor.beginNs),
    )
    .sort((a, b) => sign * compare(edgeOf(a), edgeOf(b)))
  const first = sources[0] === undefined ? 0n : edgeOf(sources[0])
  const start = cursor !== undefined && sign * compare(cursor.beginNs, first) > 0 ? cursor.beginNs : first
  const chosen: ScanSource[] = []
  let events = 0
  for (const source of sources) {
    const edgeNs = edgeOf(source)
    // Only where the page gets on in time: else the next one would read the same blocks.
    if (events >= BUDGET_EVENTS && sign * compare(start, edgeNs) < 0)
      return { chosen, edgeNs, isPartial: true, isCut: false }
    events += costOf(source.block)
    chosen.push(source)
  }
  return { chosen, edgeNs: undefined, isPartial: true, isCut: false }
}

/** The blocks that are nearest to a time, as far as the budget goes. */
function nearest(
  sources: readonly ScanSource[],
  sinceNs: bigint | undefined,
  untilNs: bigint | undefined,
): { readonly chosen: readonly ScanSource[]; readonly isCut: boolean } {
  const distance = ({ fromNs, toNs }: ScanSource): bigint =>
    sinceNs !== undefined && toNs < sinceNs ? sinceNs - toNs : fromNs - (untilNs ?? fromNs)
  const ordered = [...sources].sort((a, b) => compare(distance(a), distance(b)))
  const chosen: ScanSource[] = []
  let events = 0
  for (const source of ordered) {
    events += costOf(source.block)
    if (events > BUDGET_AROUND_EVENTS) return { chosen, isCut: true }
    chosen.push(source)
  }
  return { chosen, isCut: false }
}

function costOf({ eventCount }: { readonly eventCount: number }): number {
  return Math.max(MIN_BLOCK_EVENTS, eventCount)
}

function byProcess({ store }: QueryContext, sources: readonly ScanSource[]): Map<string, ScanSource[]> {
  const grouped = new Map<string, ScanSource[]>()
  for (const source of sources) {
    const processId = store.index.streams.get(source.block.streamId)?.processId
    if (processId === undefined) continue
    const blocks = grouped.get(processId)
    if (blocks === undefined) grouped.set(processId, [source])
    else blocks.push(source)
  }
  return grouped
}

interface OpenBlocks {
  readonly blocks: readonly OpenBlock[]
  /** Streams with a block that cannot be read: their call trees cannot be trusted. */
  readonly broken: ReadonlySet<string>
}

async function openAll(
  { catalog, signal }: QueryContext,
  process: DecodedProcess,
  sources: readonly ScanSource[],
  problems: SpanProblem[],
): Promise<OpenBlocks> {
  const blocks: OpenBlock[] = []
  const broken = new Set<string>()
  let sectionBytes = 0
  for (const { block } of sources) {
    const { streamId, blockId } = block
    if (sectionBytes > BUDGET_SECTION_BYTES) {
      broken.add(streamId)
      const reason = `block ${blockId} and others are left out: together they are larger than ${BUDGET_SECTION_BYTES} bytes`
      problems.push({ processId: process.processId, streamId, reason })
      break
    }
    signal?.throwIfAborted()
    const outcome = await catalog.open(block)
    if (outcome.state === 'open') {
      blocks.push(outcome.block)
      sectionBytes += outcome.block.sectionBytes
    }
    if (outcome.state !== 'unreadable') continue
    broken.add(streamId)
    problems.push({ processId: process.processId, streamId, reason: `block ${blockId}: ${outcome.reason}` })
  }
  return { blocks, broken }
}

function threadSpans(
  process: DecodedProcess,
  { blocks, broken }: OpenBlocks,
  ticks: TickConverter,
  problems: SpanProblem[],
): SpanEntry[] {
  const byStream = new Map<string, ThreadSpanBlock[]>()
  for (const { stored, objects } of blocks) {
    const { streamId, blockId, beginTicks, endTicks, objectOffset } = stored
    if (broken.has(streamId)) continue
    const block = { blockId, beginTicks, endTicks, objectOffset, objects: objects() }
    const others = byStream.get(streamId)
    if (others === undefined) byStream.set(streamId, [block])
    else others.push(block)
  }
  const { processId, exe } = process
  const spans: SpanEntry[] = []
  for (const [streamId, streamBlocks] of byStream) {
    try {
      for (const row of rebuildThreadSpans(streamBlocks, ticks, streamId)) {
        if (row.id !== THREAD_ROW_ID) spans.push({ ...row, kind: 'thread', processId, exe, streamId })
      }
    } catch (error) {
      problems.push({ processId, streamId, reason: formatReason(error) })
    }
  }
  return spans
}

function asyncSpans(
  process: DecodedProcess,
  { blocks }: OpenBlocks,
  ticks: TickConverter,
  problems: SpanProblem[],
): SpanEntry[] {
  const { processId, exe } = process
  const events: AsyncSpanEvent[] = []
  for (const { stored, objects } of blocks) {
    try {
      // As a whole: a bad event costs the block.
      for (const event of [...readAsyncSpanEvents(objects(), ticks)]) events.push(event)
    } catch (error) {
      const { streamId, blockId } = stored
      problems.push({ processId, streamId, reason: `block ${blockId}: ${formatReason(error)}` })
    }
  }
  return pairAsyncSpans(events).spans.map((row) => ({
    ...row,
    kind: 'async',
    processId,
    exe,
    streamId: undefined,
  }))
}

function placeOf({ beginNs, streamId, processId, id }: SpanEntry): SpanCursor {
  return { beginNs, ownerId: streamId ?? processId, id }
}

function comparePlaces(a: SpanCursor, b: SpanCursor): number {
  return (
    compare(a.beginNs, b.beginNs) ||
    (a.ownerId < b.ownerId ? -1 : a.ownerId > b.ownerId ? 1 : 0) ||
    compare(a.id, b.id)
  )
}
