import {
  type DecodedImage,
  type DecodedLogEntry,
  type DecodedMeasure,
  type DecodedProperties,
  readImages,
  readLogEntries,
  readMeasures,
  type TickConverter,
  type TransitObject,
  textMatcher,
} from 'micromegas/wire'
import { compare } from '../nanoseconds.ts'
import type { Store } from '../store/store.ts'
import type { StoredBlock } from '../store/store-index.ts'
import { type Catalog, formatReason, type OpenBlock } from './catalog.ts'
import {
  type BlockRows,
  type Cursor,
  type EventOrder,
  type EventPosition,
  type Page,
  type PageWindow,
  scan,
} from './scan.ts'

/** Which events, and how many of them. */
export interface EventQuery {
  readonly processId?: string | undefined
  readonly streamId?: string | undefined
  /** First nanosecond since the Unix epoch of interest. */
  readonly sinceNs?: bigint | undefined
  /** First nanosecond since the Unix epoch of no interest any more. */
  readonly untilNs?: bigint | undefined
  /** Rows of a page, 1 to 10,000. @defaultValue `100` */
  readonly limit?: number | undefined
  /** @defaultValue `newest` */
  readonly order?: EventOrder | undefined
  /** Goes on where a page ended. */
  readonly cursor?: Cursor | undefined
}

/** What events that carry properties are asked for by. */
export interface PropertyFilter {
  /** Properties that an event has, with just these values. */
  readonly properties?: Readonly<Record<string, string>> | undefined
}

/** Names and targets are meant whole, or by their beginning with a `*` at the end. */
export interface LogQuery extends EventQuery, PropertyFilter {
  /** Least severe level: 4 gives info and worse. */
  readonly maxLevel?: number | undefined
  readonly target?: string | undefined
  /** Part of the message, the target or a property value, in any case. */
  readonly search?: string | undefined
}

export interface MeasureQuery extends EventQuery, PropertyFilter {
  readonly name?: string | undefined
  readonly target?: string | undefined
  readonly search?: string | undefined
}

export interface ImageQuery extends EventQuery {
  readonly name?: string | undefined
}

/** Where an event comes from. */
export interface EventOrigin extends EventPosition {
  readonly processId: string
  readonly streamId: string
  /** Name of the program. */
  readonly exe: string
}

export interface LogEntryRow extends EventOrigin {
  /** 1 fatal to 6 trace. */
  readonly level: number
  readonly target: string
  readonly msg: string
  readonly properties: DecodedProperties
}

export interface MeasureRow extends EventOrigin {
  readonly name: string
  readonly unit: string
  readonly value: number
  readonly target: string
  readonly properties: DecodedProperties
}

/** An image without its data. */
export interface ImageRow extends EventOrigin {
  readonly name: string
  readonly format: string
  /** Bytes of the data. */
  readonly payloadBytes: number
}

export const DEFAULT_LIMIT = 100
export const MAX_LIMIT = 10_000
/** Decompressed bytes read for one page; decoding them takes some seconds. */
const BUDGET_BYTES = 128 * 1024 * 1024

/** A block costs this at least: opening one takes as long as reading so much of another. */
const MIN_BLOCK_BYTES = 64 * 1024

/** What queries read from. */
export interface QueryContext {
  readonly store: Store
  readonly catalog: Catalog
  /** Aborted when nobody waits for the answer any more: no further block is read then. */
  readonly signal?: AbortSignal | undefined
}

export function queryLogEntries(context: QueryContext, query: LogQuery): Promise<Page<LogEntryRow>> {
  const { maxLevel } = query
  const isTarget = textMatcher(query.target)
  const isFound = searchMatcher(query.search)
  const hasProperties = propertyMatcher(query)
  return queryEvents<DecodedLogEntry, LogEntryRow>(context, query, {
    tag: 'log',
    read: readLogEntries,
    isWanted: ({ level, target, msg, properties }) =>
      (maxLevel === undefined || level <= maxLevel) &&
      isTarget(target) &&
      hasProperties(properties) &&
      isFound(properties, msg, target),
    toRow: ({ level, target, msg, properties }, origin) => ({
      ...origin,
      level,
      target,
      msg,
      properties,
    }),
  })
}

export function queryMeasures(context: QueryContext, query: MeasureQuery): Promise<Page<MeasureRow>> {
  return queryEvents<DecodedMeasure, MeasureRow>(context, query, {
    tag: 'metrics',
    read: readMeasures,
    isWanted: measureMatcher(query),
    toRow: (measure, origin) => ({ ...measure, ...origin }),
  })
}

export function queryImages(context: QueryContext, query: ImageQuery): Promise<Page<ImageRow>> {
  const isName = textMatcher(query.name)
  return queryEvents<DecodedImage, ImageRow>(context, query, {
    tag: 'image',
    read: readImages,
    isWanted: ({ name }) => isName(name),
    toRow: ({ name, format, data }, origin) => ({ ...origin, name, format, payloadBytes: data.length }),
  })
}

/** The data of one image; `undefined` when there is none at that place. */
export async function readImage(
  { store, catalog }: QueryContext,
  blockId: string,
  index: number,
): Promise<{ readonly format: string; readonly data: Uint8Array } | undefined> {
  const stored = store.index.blocks.get(blockId)
  const outcome = stored === undefined ? undefined : await catalog.open(stored)
  if (outcome?.state !== 'open') return undefined
  const counter = new Counter(outcome.block.objects())
  for (const { format, data } of readImages(counter.objects(), outcome.block.ticks)) {
    if (counter.index === index) return { format, data }
  }
  return undefined
}

export function measureMatcher(
  query: MeasureQuery,
): (measure: {
  readonly name: string
  readonly target: string
  readonly properties: DecodedProperties
}) => boolean {
  const isName = textMatcher(query.name)
  const isTarget = textMatcher(query.target)
  const isFound = searchMatcher(query.search)
  const hasProperties = propertyMatcher(query)
  return ({ name, target, properties }) =>
    isName(name) && isTarget(target) && hasProperties(properties) && isFound(properties, name, target)
}

/** Whether an event has the properties that a query names. */
export function propertyMatcher({ properties }: PropertyFilter): (found: DecodedProperties) => boolean {
  const wanted = Object.entries(properties ?? {})
  return (found) => wanted.every(([key, value]) => Object.hasOwn(found, key) && found[key] === value)
}

/** Blocks of the streams with a tag, of one stream or process where the query names it. */
export function* selectBlocks(
  { store }: QueryContext,
  tag: string,
  query: EventQuery,
): Generator<StoredBlock> {
  const { index } = store
  const streams = query.processId === undefined ? index.streams.values() : index.streamsOf(query.processId)
  for (const stream of streams) {
    if (query.streamId !== undefined && stream.streamId !== query.streamId) continue
    if (stream.tags.includes(tag)) yield* index.blocksOf(stream.streamId)
  }
}

/** Reads the rows of a block. As on a Micromegas server, one bad event costs the block. */
export async function readRows<Row>(
  catalog: Catalog,
  stored: StoredBlock,
  read: (block: OpenBlock) => Iterable<Row>,
): Promise<BlockRows<Row>> {
  const outcome = await catalog.open(stored)
  if (outcome.state !== 'open') {
    const bytes = Math.max(MIN_BLOCK_BYTES, stored.fileBytes)
    return { rows: outcome.state === 'unreadable' ? undefined : [], bytes }
  }
  const bytes = Math.max(MIN_BLOCK_BYTES, outcome.block.sectionBytes)
  try {
    return { rows: [...read(outcome.block)], bytes }
  } catch (error) {
    formatReason(error)
    return { rows: undefined, bytes }
  }
}

/** A view: how its events are read, which of them a query wants, and what a row of it is. */
interface View<Event extends { readonly timeNs: bigint }, Row> {
  /** Tag of the streams that have such events. */
  readonly tag: string
  readonly read: (objects: Iterable<TransitObject>, ticks: TickConverter) => Iterable<Event>
  readonly isWanted: (event: Event) => boolean
  readonly toRow: (event: Event, origin: EventOrigin) => Row
}

async function queryEvents<Event extends { readonly timeNs: bigint }, Row extends EventPosition>(
  context: QueryContext,
  query: EventQuery,
  view: View<Event, Row>,
): Promise<Page<Row>> {
  const { catalog, signal } = context
  return scan({
    signal,
    sources: await catalog.sources(selectBlocks(context, view.tag, query)),
    read: (stored, window) => readRows(catalog, stored, (block) => pageRows(block, view, window)),
    order: query.order ?? 'newest',
    limit: query.limit ?? DEFAULT_LIMIT,
    sinceNs: query.sinceNs,
    untilNs: query.untilNs,
    cursor: query.cursor,
    budgetBytes: BUDGET_BYTES,
  })
}

/** The rows of a block that may be on the page. A block of half a million events makes no more rows than that. */
function pageRows<Event extends { readonly timeNs: bigint }, Row>(
  block: OpenBlock,
  view: View<Event, Row>,
  { order, limit, accepts }: PageWindow,
): Row[] {
  const { processId, exe } = block.process
  const { blockId, streamId } = block.stored
  const counter = new Counter(block.objects())
  const found: { readonly event: Event; readonly index: number }[] = []
  let isSorted = true
  let previous: bigint | undefined
  for (const event of view.read(counter.objects(), block.ticks)) {
    if (!view.isWanted(event) || !accepts(event.timeNs, blockId, counter.index)) continue
    if (previous !== undefined && event.timeNs < previous) isSorted = false
    previous = event.timeNs
    found.push({ event, index: counter.index })
  }
  if (!isSorted) found.sort((a, b) => compare(a.event.timeNs, b.event.timeNs) || a.index - b.index)
  const first = order === 'oldest' ? found.slice(0, limit) : found.slice(-limit)
  return first.map(({ event, index }) =>
    view.toRow(event, { timeNs: event.timeNs, processId, streamId, blockId, index, exe }),
  )
}

/** Knows the index of the object that was handed out last: rows of views do not carry it. */
class Counter {
  readonly #objects: Iterable<TransitObject>
  index = -1

  constructor(objects: Iterable<TransitObject>) {
    this.#objects = objects
  }

  *objects(): Generator<TransitObject, void, undefined> {
    for (const object of this.#objects) {
      this.index += 1
      yield object
    }
  }
}

function searchMatcher(
  search: string | undefined,
): (properties: DecodedProperties, ...texts: string[]) => boolean {
  if (search === undefined) return () => true
  const wanted = search.toLowerCase()
  return (properties, ...texts) =>
    texts.some((text) => text.toLowerCase().includes(wanted)) ||
    Object.values(properties).some((value) => value.toLowerCase().includes(wanted))
}
