import type { Connection } from '../../../tables/database.ts'
import type { Annotations, PerfettoWriter, TraceEvent } from './format/perfetto-writer.ts'
import { type Items, LOG, SPAN_LOG, THREAD_SPAN } from './items.ts'
import { PropertyReader } from './property-reader.ts'
import { pages, type TraceRequest } from './trace-request.ts'

/** As the reference: more than this many spans never share a chunk. */
const SPANS_PER_CHUNK = 10
const LEVELS = ['off', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']
/** Characters of a log's first line that name it; the whole message stands beside. */
const MAX_NAME_CHARS = 200

export interface ItemTracks {
  readonly threads: ReadonlyMap<string, bigint>
  readonly lane: (number: number) => bigint
  readonly logs: () => bigint
}

/** Writes spans and logs. */
export async function writeItems(
  connection: Connection,
  { name, signal }: TraceRequest,
  { count }: Items,
  tracks: ItemTracks,
  writer: PerfettoWriter,
  store: () => Promise<void>,
): Promise<void> {
  const arrows = (end: string, after: number, last: number): string =>
    `(SELECT ${end} AS n, list(id ORDER BY id) AS ids FROM ${name}_arrows WHERE ${end} > ${after} AND ${end} <= ${last} GROUP BY ${end})`
  const items = pages(connection, signal, count, (after, last) => {
    const of = (table: string): string =>
      `(SELECT * FROM ${name}_${table} WHERE n > ${after} AND n <= ${last})`
    return `SELECT kind, stream, b, e, name, target, filename, line, properties, level, msg, lane, o.ids, t.ids
      FROM ${of('items')} i LEFT JOIN ${of('placed')} p ON p.n = i.n
      LEFT JOIN ${arrows('source', after, last)} o ON o.n = i.n LEFT JOIN ${arrows('target', after, last)} t ON t.n = i.n ORDER BY i.n`
  })
  const properties = new PropertyReader()
  let spans = 0
  let stream: string | undefined
  for await (const page of items) {
    for (const row of page) {
      const kind = Number(row[0])
      const beginNs = row[2] as bigint
      const lane = row[11] as number | null
      const shared = {
        target: String(row[5]),
        arrowsOut: numbersOf(row[12]),
        arrowsIn: numbersOf(row[13]),
      }
      const own = properties.of(row[8] as string | null)
      if (kind === LOG || kind === SPAN_LOG) {
        const track = lane === null ? tracks.logs() : tracks.lane(lane)
        writer.instant(track, beginNs, {
          ...shared,
          ...logEvent(Number(row[9]), String(row[10]), shared.target, own),
        })
        continue
      }
      const ofStream = String(row[1])
      if (ofStream !== stream) {
        stream = ofStream
        spans = 0
      }
      const track = kind === THREAD_SPAN ? tracks.threads.get(ofStream)! : tracks.lane(lane!)
      const place = { name: String(row[4]), filename: String(row[6]), line: Number(row[7]) }
      writer.span(track, beginNs, row[3] as bigint, { ...shared, ...place, annotations: own })
      if (++spans % SPANS_PER_CHUNK === 0) writer.flush()
    }
    await store()
  }
}

function logEvent(
  level: number,
  message: string,
  target: string,
  properties: Annotations,
): Pick<TraceEvent, 'name' | 'annotations'> {
  const levelName = LEVELS[level] ?? String(level)
  const firstLine = /^[^\r\n]*/.exec(message)![0]
  const name = firstLine.length > MAX_NAME_CHARS ? `${firstLine.slice(0, MAX_NAME_CHARS)}…` : firstLine
  return {
    name: name || levelName,
    annotations: [
      ['level', levelName],
      ['target', target],
      ['message', message],
      // A property may be called as one of these.
      ...(properties.length > 0 ? ([['properties', properties]] as const) : []),
    ],
  }
}

function numbersOf(list: unknown): readonly number[] | undefined {
  return list === null ? undefined : (list as { readonly items: readonly number[] }).items
}
