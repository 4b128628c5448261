import { type Context, Hono } from 'hono'
import type { BlockState } from '../scan/block-checker.ts'
import {
  type QueryContext,
  queryImages,
  queryLogEntries,
  queryMeasures,
  readImage,
} from '../scan/event-query.ts'
import { queryBlocks, queryProcesses, readProcess, readRawEvents, readStreams } from '../scan/inventory.ts'
import { summarizeMeasures } from '../scan/measure-summary.ts'
import { type EventPosition, formatCursor, type Page } from '../scan/scan.ts'
import { formatSpanCursor, ONE_PAGE, parseSpanCursor, querySpans } from '../scan/span-query.ts'
import type { RouteTypes, ServerContext } from '../server-context.ts'
import {
  blockJson,
  identityJson,
  imageJson,
  type Json,
  logEntryJson,
  measureJson,
  measureSummaryJson,
  problemJson,
  processJson,
  rawEventJson,
  spanJson,
  streamJson,
  timeJson,
} from './json-rows.ts'
import { BadQuery, QueryParameters } from './query-parameters.ts'

type RouteContext = Context<RouteTypes>

const BLOCK_STATES: readonly BlockState[] = ['unchecked', 'waiting', 'readable', 'unreadable']
/** Characters of rows in one answer; a page ends early rather than being longer, but has one row at least. */
const MAX_ANSWER_LENGTH = 32 * 1024 * 1024
/** Formats that are safe to show in a browser; anything else is a download. */
const IMAGE_TYPES: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
])

/** The read API, everything below `/api`. */
export function readRoutes(context: ServerContext): Hono<RouteTypes> {
  const api = new Hono<RouteTypes>()
  /** What a query reads from, until its client leaves. */
  const until = (c: RouteContext): QueryContext => ({ ...context, signal: c.get('signal') })

  api.get('/processes', async (c) => {
    const query = parameters(c)
    const request = { exe: query.text('exe'), limit: query.limit(), after: query.insertedAfter() }
    query.check()
    const { rows, next } = await queryProcesses(until(c), request)
    return c.json({ rows: rows.map(processJson), next_cursor: insertedCursor(next) })
  })

  api.get('/processes/:id', async (c) => {
    const id = c.req.param('id').toLowerCase()
    parameters(c).check()
    const process = await readProcess(until(c), id)
    if (process === undefined) return notFound(c, `no process ${id}`)
    const streams = await readStreams(until(c), id)
    return c.json({ ...(processJson(process) as object), streams: streams.map(streamJson) })
  })

  api.delete('/processes/:id', async (c) => {
    if (!c.get('identity').admin) return c.json({ error: 'only an admin may delete data' }, 403)
    const id = c.req.param('id').toLowerCase()
    if (!context.store.index.processes.has(id) && context.store.index.streamsOf(id).size === 0) {
      return notFound(c, `no process ${id}`)
    }
    const blocks = await context.store.deleteProcess(id)
    const { subject } = c.get('identity')
    context.report({ type: 'warning', message: `${subject} deleted process ${id} and ${blocks} blocks` })
    return c.json({ deleted_blocks: blocks })
  })

  api.get('/log_entries', async (c) => {
    const query = parameters(c)
    const request = {
      ...query.eventQuery(),
      order: query.order(),
      cursor: query.cursor(),
      properties: query.properties(),
      maxLevel: query.level('max_level') ?? query.level('level'),
      target: query.target(),
      search: query.text('search'),
    }
    query.check()
    return page(c, await queryLogEntries(until(c), request), logEntryJson)
  })

  api.get('/measures', async (c) => {
    const query = parameters(c)
    const request = {
      ...query.eventQuery(),
      order: query.order(),
      cursor: query.cursor(),
      ...measureFilter(query),
    }
    query.check()
    return page(c, await queryMeasures(until(c), request), measureJson)
  })

  api.get('/measures/summary', async (c) => {
    const query = parameters(c)
    const request = {
      processId: query.uuid('process_id'),
      streamId: query.uuid('stream_id'),
      sinceNs: query.time('since'),
      untilNs: query.time('until'),
      ...measureFilter(query),
      groupBy: query.list('group_by'),
    }
    query.check()
    const { rows, complete, unreadableBlocks } = await summarizeMeasures(until(c), request)
    return c.json({ rows: rows.map(measureSummaryJson), complete, unreadable_blocks: unreadableBlocks })
  })

  api.get('/spans', async (c) => {
    const query = parameters(c)
    const request = {
      ...query.eventQuery(),
      order: query.oneOf('order', ['newest', 'oldest', 'longest']),
      properties: query.properties(),
      cursor: query.parsed('cursor', 'expected a next_cursor of an earlier answer', parseSpanCursor),
      kind: query.oneOf('kind', ['thread', 'async']),
      name: query.text('name'),
      target: query.target(),
      minDurationNs: query.milliseconds('min_duration_ms'),
    }
    if (request.order === 'longest' && request.cursor !== undefined) query.refuse(`cursor: ${ONE_PAGE}`)
    query.check()
    const { rows, nextCursor, problems } = await querySpans(until(c), request)
    const { texts, isCut } = rowTexts(rows, spanJson)
    const last = rows[texts.length - 1]
    const cursor =
      isCut && last !== undefined && request.order !== 'longest'
        ? formatSpanCursor({ beginNs: last.beginNs, ownerId: last.streamId ?? last.processId, id: last.id })
        : nextCursor
    return rowsAnswer(c, texts, {
      next_cursor: cursor ?? null,
      problems: problems.map(({ processId, streamId, reason }) => ({
        process_id: processId ?? null,
        stream_id: streamId ?? null,
        reason,
      })),
    })
  })

  api.get('/images', async (c) => {
    const query = parameters(c)
    const request = {
      ...query.eventQuery(),
      order: query.order(),
      cursor: query.cursor(),
      name: query.text('name'),
    }
    query.check()
    return page(c, await queryImages(until(c), request), imageJson)
  })

  api.get('/images/:block/:index', async (c) => {
    const { block, index } = c.req.param()
    const image = /^\d{1,10}$/.test(index)
      ? await readImage(until(c), block.toLowerCase(), Number(index))
      : undefined
    if (image === undefined) return notFound(c, `no image ${index} in block ${block}`)
    const type = IMAGE_TYPES.get(image.format.toLowerCase())
    return c.body(Uint8Array.from(image.data), 200, {
      'content-type': type ?? 'application/octet-stream',
      ...(type === undefined && { 'content-disposition': 'attachment' }),
    })
  })

  api.get('/blocks', (c) => {
    const query = parameters(c)
    const request = {
      processId: query.uuid('process_id'),
      streamId: query.uuid('stream_id'),
      state: query.oneOf('state', BLOCK_STATES),
      limit: query.limit(),
      after: query.insertedAfter(),
    }
    query.check()
    const { rows, next } = queryBlocks(context, context.checker, request)
    return c.json({ rows: rows.map(blockJson), next_cursor: insertedCursor(next) })
  })

  api.get('/blocks/:id', async (c) => {
    const id = c.req.param('id').toLowerCase()
    const query = parameters(c)
    const limit = query.limit()
    const from = query.whole('cursor', 0, Number.MAX_SAFE_INTEGER) ?? 0
    query.check()
    const stored = context.store.index.blocks.get(id)
    const events = stored === undefined ? undefined : await readRawEvents(until(c), stored, from, limit)
    if (stored === undefined || events === undefined) return notFound(c, `no block ${id}`)
    const head = { block: blockJson({ ...stored, ...context.checker.stateOf(stored) }) }
    if (events.state === 'waiting')
      return c.json({ ...head, error: `its ${events.for} has not come yet` }, 409)
    if (events.state === 'unreadable') return c.json({ ...head, error: events.reason }, 422)
    const { texts, isCut } = rowTexts(events.rows, rawEventJson)
    const hasMore = isCut || events.hasMore
    return rowsAnswer(c, texts, { ...head, next_cursor: hasMore ? String(from + texts.length) : null })
  })

  api.get('/live', (c) => context.live.answer(c, parameters(c)))

  api.get('/problems', (c) => {
    const query = parameters(c)
    const limit = query.limit()
    query.check()
    return c.json({ rows: context.stats.problems.slice(0, limit).map(problemJson) })
  })

  api.get('/stats', (c) => {
    parameters(c).check()
    const { stats, store, config } = context
    const { index } = store
    return c.json({
      started_at: timeJson(stats.startedAtMs),
      processes: index.processes.size,
      streams: index.streams.size,
      blocks: index.blocks.size,
      bytes: store.bytes,
      max_bytes: Number.isFinite(config.maxBytes) ? config.maxBytes : null,
      since_start: {
        stored: stats.stored,
        stored_bytes: stats.storedBytes,
        duplicates: stats.duplicates,
        refused: Object.fromEntries(stats.refused),
        undecodable_blocks: stats.undecodableBlocks,
        evicted_blocks: store.evictedBlocks,
      },
    })
  })

  api.get('/whoami', (c) => {
    parameters(c).check()
    return c.json(identityJson(c.get('identity')))
  })

  api.all('*', (c) => notFound(c, `no such route: ${c.req.method} ${c.req.path}`))

  api.onError((error, c) => {
    if (error instanceof BadQuery) return c.json({ error: error.message }, 400)
    if (c.get('signal')?.aborted === true) return c.body(null, 500) // nobody is there to read it
    const reason = error instanceof Error ? error.message : String(error)
    context.report({ type: 'refused', status: 500, method: c.req.method, path: c.req.path, reason })
    return c.json({ error: 'Internal server error' }, 500)
  })
  return api
}

function parameters(c: RouteContext): QueryParameters {
  return new QueryParameters(new URL(c.req.url).searchParams, Date.now())
}

function measureFilter(query: QueryParameters): {
  readonly name: string | undefined
  readonly target: string | undefined
  readonly search: string | undefined
  readonly properties: Readonly<Record<string, string>> | undefined
} {
  return {
    name: query.text('name'),
    target: query.target(),
    search: query.text('search'),
    properties: query.properties(),
  }
}

function page<Row extends EventPosition>(
  c: RouteContext,
  found: Page<Row>,
  toJson: (row: Row) => Json,
): Response {
  const { rows, nextCursor, unreadableBlocks } = found
  const { texts, isCut } = rowTexts(rows, toJson)
  const last = rows[texts.length - 1]
  const cursor = isCut && last !== undefined ? formatCursor(last) : nextCursor
  return rowsAnswer(c, texts, { next_cursor: cursor ?? null, unreadable_blocks: unreadableBlocks })
}

/** As many rows as one answer takes. */
function rowTexts<Row>(
  rows: readonly Row[],
  toJson: (row: Row) => Json,
): { readonly texts: readonly string[]; readonly isCut: boolean } {
  const texts: string[] = []
  let length = 0
  for (const row of rows) {
    const text = JSON.stringify(toJson(row))
    length += text.length
    if (length > MAX_ANSWER_LENGTH && texts.length > 0) return { texts, isCut: true }
    texts.push(text)
  }
  return { texts, isCut: false }
}

function rowsAnswer(
  c: RouteContext,
  rows: readonly string[],
  rest: { readonly [key: string]: Json },
): Response {
  const text = `{"rows":[${rows.join(',')}],${JSON.stringify(rest).slice(1)}`
  return c.body(text, 200, { 'content-type': 'application/json' })
}

function insertedCursor(
  next: { readonly insertTimeMs: number; readonly id: string } | undefined,
): string | null {
  return next === undefined ? null : `${next.insertTimeMs}_${next.id}`
}

function notFound(c: RouteContext, error: string): Response {
  return c.json({ error }, 404)
}
