import type { Context, Hono } from 'hono'
import type { RouteTypes, ServerContext } from '../server-context.ts'
import {
  type Insert,
  insertBlock,
  insertProcess,
  insertStream,
  Refusal,
  type RefusalStatus,
  refusalOf,
} from './inserts.ts'
import { BodyTooSlow, RequestAborted } from './request-body.ts'

/** What a client is told: the reference's words, without detail. */
const ANSWERS: Readonly<Record<RefusalStatus, string>> = {
  400: 'Bad request',
  408: 'Request timeout',
  413: 'length limit exceeded',
  500: 'Internal server error',
  503: 'Service unavailable',
}

/** Adds the three routes that producers send to. */
export function addInsertRoutes(app: Hono<RouteTypes>, context: ServerContext): void {
  app.post('/ingestion/insert_process', (c) => answer(c, context, insertProcess))
  app.post('/ingestion/insert_stream', (c) => answer(c, context, insertStream))
  app.post('/ingestion/insert_block', (c) => answer(c, context, insertBlock))
}

async function answer(c: Context<RouteTypes>, context: ServerContext, insert: Insert): Promise<Response> {
  const { bodies, config } = context
  try {
    await bodies.read(c.env.incoming, async (body) => {
      if (body === undefined) throw new Refusal(413, `the body is longer than ${config.bodyLimitBytes} bytes`)
      if (body.length === 0) throw new Refusal(400, 'the body is empty')
      await insert(context, body)
    })
    return c.body(null, 200)
  } catch (error) {
    if (error instanceof RequestAborted) return c.body(null, 400)
    const { status, reason } =
      error instanceof BodyTooSlow ? new Refusal(408, error.message) : refusalOf(error)
    const hint = status === 400 ? encodingHint(c.req.header('content-encoding')) : ''
    context.report({ type: 'refused', status, method: c.req.method, path: c.req.path, reason: reason + hint })
    return c.text(ANSWERS[status], status)
  }
}

function encodingHint(encoding: string | undefined): string {
  return encoding === undefined ? '' : ` (content-encoding is ${encoding}: these routes do not decompress)`
}
