import { Hono } from 'hono'
import * as z from 'zod/mini'
import { parseNanoseconds } from '../nanoseconds.ts'
import { BodyReader, BodyTooSlow, RequestAborted } from '../receive/request-body.ts'
import type { RouteTypes } from '../server-context.ts'
import type { SqlEngine } from '../sql/engine.ts'
import { readRows } from '../sql/read-rows.ts'
import { SqlError, type SqlErrorCode } from '../sql/sql-error.ts'
import { valueJson } from './value-json.ts'

/** As on the reference's gateway. */
const MAX_SQL_CHARS = 1024 * 1024
/** JSON takes at most six bytes for one of a character. */
const MAX_BODY_BYTES = 8 * 1024 * 1024

const bodySchema = z.object(
  {
    sql: z
      .string({ error: 'sql: expected a text' })
      .check(
        z.minLength(1, { error: 'sql: it is empty' }),
        z.maxLength(MAX_SQL_CHARS, { error: 'sql: it is longer than 1 MiB' }),
      ),
    time_range_begin: z.nullish(z.string({ error: 'time_range_begin: expected a text' })),
    time_range_end: z.nullish(z.string({ error: 'time_range_end: expected a text' })),
  },
  { error: 'expected JSON such as {"sql":"select 1"}' },
)

const STATUSES: Readonly<Record<SqlErrorCode, 400 | 503 | 500>> = {
  INVALID_ARGUMENT: 400,
  UNIMPLEMENTED: 400,
  RESOURCE_EXHAUSTED: 503,
  UNAVAILABLE: 503,
  INTERNAL: 500,
  CANCELLED: 500,
  DEADLINE_EXCEEDED: 503,
}

/** `POST /gateway/query`: SQL in, an array of rows out, as the platform's HTTP gateway has it. */
export function gatewayRoutes(engine: SqlEngine, clock: () => number): Hono<RouteTypes> {
  const gateway = new Hono<RouteTypes>()
  const bodies = new BodyReader({ limit: MAX_BODY_BYTES, clock })
  gateway.post('/query', async (c) => {
    const document = await bodies
      .read(c.env.incoming, async (body) => body && parseJson(body))
      .catch(answerOf)
    if (document === undefined) return c.text('length limit exceeded', 413)
    if (document instanceof Failed) return c.text(document.text, document.status)
    const parsed = bodySchema.safeParse(document.value)
    if (!parsed.success) return c.text(parsed.error.issues.map(({ message }) => message).join('; '), 400)
    const { sql, time_range_begin: begin, time_range_end: end } = parsed.data
    const range = readRange(begin, end)
    if (typeof range === 'string') return c.text(range, 400)
    const { identity } = c.var
    try {
      const answer = await engine.query({
        sql,
        range,
        caller: { admin: identity.admin, user: identity.email ?? identity.subject },
        signal: c.var.signal,
      })
      return c.body(valueJson(await readRows(answer), answer.fields), 200, {
        'content-type': 'application/json',
      })
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      return c.text(error.message, STATUSES[error.code])
    }
  })
  return gateway
}

/** A body that did not come. */
class Failed {
  readonly status: 400 | 408
  readonly text: string

  constructor(status: 400 | 408, text: string) {
    this.status = status
    this.text = text
  }
}

function answerOf(error: unknown): Failed {
  if (error instanceof BodyTooSlow) return new Failed(408, 'Request timeout')
  if (error instanceof RequestAborted) return new Failed(400, '') // nobody is there to read it
  throw error
}

function parseJson(body: Uint8Array): { readonly value: unknown } {
  try {
    return { value: JSON.parse(Buffer.from(body).toString('utf8')) }
  } catch {
    return { value: undefined }
  }
}

function readRange(
  begin: string | null | undefined,
  end: string | null | undefined,
): { readonly beginNs: bigint; readonly endNs: bigint } | undefined | string {
  if (!begin && !end) return undefined
  if (!begin || !end) return 'time_range_begin and time_range_end: expected both or neither'
  try {
    const range = {
      beginNs: parseNanoseconds(begin, 'time_range_begin'),
      endNs: parseNanoseconds(end, 'time_range_end'),
    }
    return range.beginNs > range.endNs ? 'time_range_begin is after time_range_end' : range
  } catch {
    return 'time_range_begin and time_range_end: expected RFC 3339'
  }
}
