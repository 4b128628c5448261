import type { BlockChecker } from './block-checker.ts'
import {
  type EventQuery,
  type ImageQuery,
  type ImageRow,
  type LogEntryRow,
  type LogQuery,
  type MeasureQuery,
  type MeasureRow,
  type QueryContext,
  queryImages,
  queryLogEntries,
  queryMeasures,
  readImage,
} from './event-query.ts'
import {
  type BlockQuery,
  type BlockRow,
  type InventoryPage,
  type ProcessQuery,
  type ProcessRow,
  queryBlocks,
  queryProcesses,
  readStreams,
  type StreamRow,
} from './inventory.ts'
import { type MeasureSummaries, type MeasureSummaryQuery, summarizeMeasures } from './measure-summary.ts'
import {
  BLOCK_RULES,
  checkQuery,
  IMAGE_RULES,
  LOG_RULES,
  MEASURE_RULES,
  type Paged,
  PROCESS_RULES,
  SPAN_RULES,
  SUMMARY_RULES,
} from './query-rules.ts'
import { type Page, parseCursor } from './scan.ts'
import { ONE_PAGE, parseSpanCursor, querySpans, type SpanPage, type SpanQuery } from './span-query.ts'

/**
 * Reads what the server holds, from within its process: what the HTTP API gives, as values instead of JSON. A block
 * that was answered with 200 is there at once. Queries are checked like those of the HTTP API: a member that is unknown
 * or wrong is a TypeError, a number out of its range a RangeError, each naming everything that is wrong.
 *
 * @example
 * ```ts
 * const { rows } = await server.reader.logEntries({ search: 'order', order: 'oldest' })
 * ```
 */
export class ServerReader {
  readonly #context: QueryContext
  readonly #checker: BlockChecker

  /** @internal */
  constructor(context: QueryContext, checker: BlockChecker) {
    this.#context = context
    this.#checker = checker
  }

  /** Processes, the latest inserted first. */
  processes(query: ProcessQuery = {}): Promise<InventoryPage<ProcessRow>> {
    return queryProcesses(this.#context, checkQuery(query, PROCESS_RULES))
  }

  /** The streams of a process. */
  streams(processId: string): Promise<StreamRow[]> {
    return readStreams(this.#context, processId)
  }

  /** Blocks, the latest inserted first. */
  blocks(query: BlockQuery = {}): InventoryPage<BlockRow> {
    return queryBlocks(this.#context, this.#checker, checkQuery(query, BLOCK_RULES))
  }

  /** @throws RangeError for a limit outside 1 to 10,000, TypeError for a cursor that no page ended with. */
  logEntries(query: Paged<LogQuery> = {}): Promise<Page<LogEntryRow>> {
    return queryLogEntries(this.#context, withCursor(checkQuery(query, LOG_RULES)))
  }

  /** @throws RangeError, TypeError like {@link logEntries}. */
  measures(query: Paged<MeasureQuery> = {}): Promise<Page<MeasureRow>> {
    return queryMeasures(this.#context, withCursor(checkQuery(query, MEASURE_RULES)))
  }

  /** Count, sum, extremes and latest value of each metric. */
  measureSummaries(query: MeasureSummaryQuery = {}): Promise<MeasureSummaries> {
    return summarizeMeasures(this.#context, checkQuery(query, SUMMARY_RULES))
  }

  /** @throws RangeError, TypeError like {@link logEntries}. */
  async spans(query: Paged<SpanQuery> = {}): Promise<SpanPage> {
    const { cursor: text, ...rest } = checkQuery(query, SPAN_RULES)
    const cursor = text === undefined ? undefined : parseSpanCursor(text)
    if (text !== undefined && cursor === undefined) throw new TypeError('cursor: no page ended with this')
    if (text !== undefined && rest.order === 'longest') throw new TypeError(`cursor: ${ONE_PAGE}`)
    return querySpans(this.#context, { ...rest, cursor })
  }

  /** @throws RangeError, TypeError like {@link logEntries}. */
  images(query: Paged<ImageQuery> = {}): Promise<Page<ImageRow>> {
    return queryImages(this.#context, withCursor(checkQuery(query, IMAGE_RULES)))
  }

  /** The data of an image by its place; `undefined` when there is none. */
  image(
    blockId: string,
    index: number,
  ): Promise<{ readonly format: string; readonly data: Uint8Array } | undefined> {
    return readImage(this.#context, blockId, index)
  }

  /** The body of the request that an item came with, byte for byte; `undefined` when there is none of that id. */
  requestBody(kind: 'process' | 'stream' | 'block', id: string): Promise<Uint8Array | undefined> {
    return this.#context.store.read(kind, id)
  }
}

function withCursor<Query extends { readonly cursor?: string | undefined }>(
  query: Query,
): Omit<Query, 'cursor'> & { readonly cursor: EventQuery['cursor'] } {
  const { cursor: text, ...rest } = query
  const cursor = text === undefined ? undefined : parseCursor(text)
  if (text !== undefined && cursor === undefined) throw new TypeError('cursor: no page ended with this')
  return { ...rest, cursor }
}
