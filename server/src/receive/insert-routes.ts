import type { Context, Hono } from 'hono'
import { decodeBlock, decodeProcess, decodeStream, TelemetryError } from 'micromegas/wire'
import type { RouteTypes, ServerContext } from '../server-context.ts'
import { processRefusals, streamRefusals, withoutReserved } from './database-rules.ts'
import { RequestAborted } from './request-body.ts'

type RouteContext = Context<RouteTypes>

/** A request that gets another answer than 200. `reason` is for the server's console. */
class Refusal extends Error {
  readonly status: 400 | 413 | 500
  readonly reason: string

  constructor(status: 400 | 413 | 500, reason: string) {
    super(reason)
    this.status = status
    this.reason = reason
  }
}

/** What a client is told: the reference's words, without detail. */
const ANSWERS: Readonly<Record<Refusal['status'], string>> = {
  400: 'Bad request',
  413: 'length limit exceeded',
  500: 'Internal server error',
}

/**
 * A process or stream takes a few kilobytes. One of 100 MiB could hold 20 million properties, which no program holds in
 * memory; the reference has no limit of its own here.
 */
const MAX_DESCRIPTION_BYTES = 4 * 1024 * 1024

/** Adds the three routes that producers send to. */
export function addInsertRoutes(app: Hono<RouteTypes>, context: ServerContext): void {
  app.post('/ingestion/insert_process', (c) => answer(c, context, () => insertProcess(c, context)))
  app.post('/ingestion/insert_stream', (c) => answer(c, context, () => insertStream(c, context)))
  app.post('/ingestion/insert_block', (c) => answer(c, context, () => insertBlock(c, context)))
}

async function insertProcess(c: RouteContext, context: ServerContext): Promise<void> {
  const body = await readDescription(c, context, 'process')
  const process = decode(c, body, decodeProcess)
  const { processId } = process
  const { kept, dropped } = withoutReserved(process.properties)
  refuseIfAny(processRefusals({ ...process, properties: kept }))
  warnOfReserved(context, 'process', processId, dropped)
  const isNew = await context.store.insertProcess(processId, body)
  report(context, isNew, 'process', processId, processId, body)
  if (isNew) context.checker.arrived('process', processId)
}

async function insertStream(c: RouteContext, context: ServerContext): Promise<void> {
  const body = await readDescription(c, context, 'stream')
  const stream = decode(c, body, decodeStream)
  const { streamId, processId } = stream
  const { kept, dropped } = withoutReserved(stream.properties)
  refuseIfAny(streamRefusals({ ...stream, properties: kept }))
  warnOfReserved(context, 'stream', streamId, dropped)
  const isNew = await context.store.insertStream(stream, body)
  report(context, isNew, 'stream', streamId, processId, body)
  if (isNew) context.checker.arrived('stream', streamId)
}

async function insertBlock(c: RouteContext, context: ServerContext): Promise<void> {
  const body = await readBody(c, context)
  const block = decode(c, body, decodeBlock)
  const { blockId, processId } = block
  const isNew = await context.store.insertBlock(block, body)
  report(context, isNew, 'block', blockId, processId, body)
  const stored = isNew ? context.store.index.blocks.get(blockId) : undefined
  if (stored !== undefined && context.config.checkBlocks) context.checker.check(stored, block)
}

async function answer(
  c: RouteContext,
  context: ServerContext,
  insert: () => Promise<void>,
): Promise<Response> {
  try {
    await insert()
    return c.body(null, 200)
  } catch (error) {
    if (error instanceof RequestAborted) return c.body(null, 400)
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(500, error instanceof Error ? error.message : String(error))
    const { status, reason } = refusal
    context.report({ type: 'refused', status, method: c.req.method, path: c.req.path, reason })
    return c.text(ANSWERS[status], status)
  }
}

async function readBody(c: RouteContext, { bodies, config }: ServerContext): Promise<Uint8Array> {
  const body = await bodies.read(c.env.incoming)
  if (body === undefined) throw new Refusal(413, `the body is longer than ${config.bodyLimitBytes} bytes`)
  if (body.length === 0) throw new Refusal(400, 'the body is empty')
  return body
}

async function readDescription(c: RouteContext, context: ServerContext, what: string): Promise<Uint8Array> {
  const body = await readBody(c, context)
  if (body.length <= MAX_DESCRIPTION_BYTES) return body
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
