import type { StreamKind } from '../../../src/index.ts'
import { READ_KEY } from './server.ts'

/** What the server has of one process. */
export interface Arrived {
  /** Numbers of the logs that arrived, in the server's order; a number that is there twice arrived twice. */
  readonly logs: readonly number[]
  /** Values of the metric that arrived. */
  readonly metrics: readonly number[]
  /** Events by kind, as the blocks say: the numbered ones and those that the SDK records about itself. */
  readonly events: Readonly<Record<StreamKind, number>>
}

interface Page<Row> {
  readonly rows: readonly Row[]
  readonly next_cursor: string | null
  readonly unreadable_blocks?: number
}

/** Reads what the server has of a process, through its read API. */
export async function readArrived(serverUrl: string, processId: string): Promise<Arrived> {
  const logs = await readRows<{ readonly msg: string }>(serverUrl, '/api/log_entries', {
    process_id: processId,
    target: 'ledger',
    order: 'oldest',
  })
  const metrics = await readRows<{ readonly value: number }>(serverUrl, '/api/measures', {
    process_id: processId,
    name: 'ledger',
    order: 'oldest',
  })
  return {
    logs: logs.map(({ msg }) => numberOf(msg)),
    metrics: metrics.map(({ value }) => value),
    events: await countEvents(serverUrl, processId),
  }
}

/** The number in the message of a log. */
export function numberOf(message: string): number {
  return Number(/^event (\d+) /.exec(message)?.[1])
}

/** Ids of the processes that the server was told of. */
export async function readProcessIds(serverUrl: string): Promise<string[]> {
  const rows = await readRows<{ readonly process_id: string }>(serverUrl, '/api/processes', {})
  return rows.map(({ process_id }) => process_id)
}

/** Events of a process by kind, as its blocks say. */
export async function countEvents(serverUrl: string, processId: string): Promise<Record<StreamKind, number>> {
  const counts: Record<StreamKind, number> = { log: 0, metrics: 0, cpu: 0, image: 0 }
  const response = await get(`${serverUrl}/api/processes/${processId}`)
  if (response.status === 404) return counts // nothing of it has arrived
  const { streams } = (await response.json()) as {
    readonly streams: readonly { readonly tags: readonly StreamKind[]; readonly events: number }[]
  }
  for (const { tags, events } of streams) counts[tags[0]!] += events
  return counts
}

/** Every row of a query. */
export async function readRows<Row>(
  serverUrl: string,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<Row[]> {
  const rows: Row[] = []
  for await (const page of readPages<Row>(serverUrl, path, query)) for (const row of page) rows.push(row)
  return rows
}

/** Every row of a query, page by page: there may be millions. */
export async function* readPages<Row>(
  serverUrl: string,
  path: string,
  query: Readonly<Record<string, string>>,
): AsyncGenerator<readonly Row[]> {
  let cursor: string | null = null
  do {
    const parameters = new URLSearchParams({ ...query, limit: '10000', ...(cursor !== null && { cursor }) })
    const response = await get(`${serverUrl}${path}?${parameters}`)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    const page = (await response.json()) as Page<Row>
    if ((page.unreadable_blocks ?? 0) > 0) {
      throw new Error(`${path}: ${page.unreadable_blocks} unreadable blocks`)
    }
    yield page.rows
    cursor = page.next_cursor
  } while (cursor !== null)
}

function get(url: string): Promise<Response> {
  return fetch(url, { headers: { authorization: `Bearer ${READ_KEY}` } })
}
