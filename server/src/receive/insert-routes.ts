import type { Context, Hono } from 'hono'
import { decodeBlock, decodeProcess, decodeStream, TelemetryError } from 'micromegas/wire'
import type { RouteTypes, ServerContext } from '../server-context.ts'
import type { StoredBlock } from '../store/store-index.ts'
import { processRefusals, streamRefusals, withoutReserved } from './database-rules.ts'
import { BodyTooSlow, RequestAborted } from './request-body.ts'

type RouteContext = Context<RouteTypes>

type RefusalStatus = 400 | 408 | 413 | 500 | 503

/** A request that gets another answer than 200. `reason` is for the server's console. */
class Refusal extends Error {
  readonly status: RefusalStatus
  readonly reason: string

  constructor(status: RefusalStatus, reason: string) {
    super(reason)
    this.status = status
    this.reason = reason
  }
}

/** What a client is told: the reference's words, without detail. */
const ANSWERS: Readonly<Record<RefusalStatus, string>> = {
  400: 'Bad request',
  408: 'Request timeout',
  413: 'length limit exceeded',
  500: 'Internal server error',
  503: 'Service unavailable',
}

/**
 * A process or stream takes a few kilobytes. One of 100 MiB could hold 20 million properties, which no program holds in
 * memory; the reference has no limit of its own here.
 */
const MAX_DESCRIPTION_BYTES = 4 * 1024 * 1024

/** Adds the three routes that producers send to. */
export function addInsertRoutes(app: Hono<RouteTypes>, context: ServerContext): void {
  app.post('/ingestion/insert_process', (c) => answer(c, context, insertProcess))
  app.post('/ingestion/insert_stream', (c) => answer(c, context, insertStream))
  app.post('/ingestion/insert_block', (c) => answer(c, context, insertBlock))
}

async function insertProcess(c: RouteContext, context: ServerContext, body: Uint8Array): Promise<void> {
  refuseDescription(body, 'process')
  const process = decode(c, body, decodeProcess)
  const { processId } = process
  const { kept, dropped } = withoutReserved(process.properties)
  refuseIfAny(processRefusals({ ...process, properties: kept }))
  warnOfReserved(context, 'process', processId, dropped)
  const isNew = await context.store.insertProcess(processId, body)
  report(context, isNew, 'process', processId, processId, body)
  const stored = isNew ? context.store.index.processes.get(processId) : undefined
  if (stored === undefined) return
  context.arrivals.add({ process: stored })
  announce(context, context.catalog.blocksOfProcess(processId))
  context.checker.arrived('process', processId)
}

async function insertStream(c: RouteContext, context: ServerContext, body: Uint8Array): Promise<void> {
  refuseDescription(body, 'stream')
  const stream = decode(c, body, decodeStream)
  const { streamId, processId } = stream
  const { kept, dropped } = withoutReserved(stream.properties)
  refuseIfAny(streamRefusals({ ...stream, properties: kept }))
  warnOfReserved(context, 'stream', streamId, dropped)
  const isNew = await context.store.insertStream(stream, body)
  report(context, isNew, 'stream', streamId, processId, body)
  if (!isNew) return
  announce(context, context.catalog.blocksOfStream(streamId))
  context.checker.arrived('stream', streamId)
}

async function insertBlock(c: RouteContext, context: ServerContext, body: Uint8Array): Promise<void> {
  const block = decode(c, body, decodeBlock)
  const { blockId, processId } = block
  const isNew = await context.store.insertBlock(block, body)
  report(context, isNew, 'block', blockId, processId, body)
  const stored = isNew ? context.store.index.blocks.get(blockId) : undefined
  if (stored === undefined) return
  announce(context, [stored])
  if (context.config.checkBlocks) context.checker.check(stored, block)
}

/** Blocks can be asked for once their stream and its process are there too. */
function announce({ arrivals, store }: ServerContext, blocks: Iterable<StoredBlock>): void {
  const { streams, processes } = store.index
  for (const block of blocks) {
    const stream = streams.get(block.streamId)
    if (stream !== undefined && processes.has(stream.processId)) arrivals.add({ block, stream })
  }
}

type Insert = (c: RouteContext, context: ServerContext, body: Uint8Array) => Promise<void>

async function answer(c: RouteContext, context: ServerContext, insert: Insert): Promise<Response> {
  const { bodies, config } = context
  try {
    await bodies.read(c.env.incoming, async (body) => {
      if (body === undefined) throw new Refusal(413, `the body is longer than ${config.bodyLimitBytes} bytes`)
      if (body.length === 0) throw new Refusal(400, 'the body is empty')
      await insert(c, context, body)
    })
    return c.body(null, 200)
  } catch (error) {
    if (error instanceof RequestAborted) return c.body(null, 400)
    const { status, reason } = refusalOf(error)
    context.report({ type: 'refused', status, method: c.req.method, path: c.req.path, reason })
    return c.text(ANSWERS[status], status)
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof BodyTooSlow) return new Refusal(408, error.message)
  const reason = error instanceof Error ? error.message : String(error)
  // A full disk is no fault of the block: producers that count a 500 against it would give it up one day.
  return isSystemError(error) ? new Refusal(503, `cannot write: ${reason}`) : new Refusal(500, reason)
}

/** What the operating system refuses: no space, no permission, too many open files. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'errno' in error
}

function refuseDescription(body: Uint8Array, what: string): void {
  if (body.length <= MAX_DESCRIPTION_BYTES) return
  throw new Refusal(413, `the ${what} has ${body.length} bytes, this server takes ${MAX_DESCRIPTION_BYTES}`)
}

function decode<T>(c: RouteContext, body: Uint8Array, decodeBody: (body: Uint8Array) => T): T {
  try {
    return decodeBody(body)
  } catch (error) {
    if (!(error instanceof TelemetryError) || error.code !== 'ERR_TELEMETRY_FORMAT') throw error
    const encoding = c.req.header('content-encoding')
    const hint =
      encoding === undefined ? '' : ` (content-encoding is ${encoding}: these routes do not decompress)`
    throw new Refusal(400, `${error.message}${hint}`)
  }
}

function refuseIfAny(refusals: readonly string[]): void {
  if (refusals.length === 0) return
  throw new Refusal(500, `a Micromegas server's database refuses this for good: ${refusals.join('; ')}`)
}

function warnOfReserved(context: ServerContext, what: string, id: string, dropped: readonly string[]): void {
  if (dropped.length === 0) return
  const keys = dropped.slice(0, 5).join(', ')
  context.report({ type: 'warning', message: `${what} ${id}: reserved properties dropped: ${keys}` })
}

function report(
  context: ServerContext,
  isNew: boolean,
  what: 'process' | 'stream' | 'block',
  id: string,
  processId: string,
  body: Uint8Array,
): void {
  if (isNew) context.report({ type: 'stored', what, id, processId, bytes: body.length })
  else context.report({ type: 'duplicate', what, id })
}
