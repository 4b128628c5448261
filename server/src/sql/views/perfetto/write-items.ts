import { levelName } from 'micromegas/wire'
import type { Connection } from '../../../tables/database.ts'
import type { Annotations, PerfettoWriter, TraceEvent } from './format/perfetto-writer.ts'
import { type Items, LOG, SPAN_LOG, THREAD_SPAN } from './items.ts'
import { placeLookup, propertyLookup, textLookup } from './lookup.ts'
import { pages, type TraceRequest } from './trace-request.ts'

/** As the reference: more than this many spans never share a chunk. */
const SPANS_PER_CHUNK = 10
/** Characters of a log's first line that name it; the whole message stands beside. */
const MAX_NAME_CHARS = 200

export interface ItemTracks {
  readonly thread: (stream: number) => bigint
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
    return `SELECT kind, stream, b, e, place, target, properties, level, msg, lane, o.ids, t.ids
      FROM ${of('items')} i LEFT JOIN ${of('placed')} p ON p.n = i.n
      LEFT JOIN ${arrows('source', after, last)} o ON o.n = i.n LEFT JOIN ${arrows('target', after, last)} t ON t.n = i.n ORDER BY i.n`
  })
  const places = placeLookup(connection)
  const targets = textLookup(connection)
  const sets = propertyLookup(connection)
  let spans = 0
  let stream: number | undefined
  for await (const page of items) {
    await places.load(page.map((row) => row[4]))
    await targets.load(page.map((row) => row[5]))
    await sets.load(page.map((row) => row[6]))
    for (const row of page) {
      const kind = Number(row[0])
      const beginNs = row[2] as bigint
      const lane = row[9] as number | null
      const arrowsOut = numbersOf(row[10])
      const arrowsIn = numbersOf(row[11])
      const properties = sets.get(row[6])
      if (kind === LOG || kind === SPAN_LOG) {
        const track = lane === null ? tracks.logs() : tracks.lane(lane)
        const log = logEvent(Number(row[7]), String(row[8]), targets.get(row[5]), properties)
        writer.instant(track, beginNs, { ...log, arrowsOut, arrowsIn })
        continue
      }
      const ofStream = Number(row[1])
      if (ofStream !== stream) {
        stream = ofStream
        spans = 0
      }
      const track = kind === THREAD_SPAN ? tracks.thread(ofStream) : tracks.lane(lane!)
      const { name, target, filename, line } = places.get(row[4])
      const event = { name, target, filename, line, annotations: properties, arrowsOut, arrowsIn }
      writer.span(track, beginNs, row[3] as bigint, event)
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
): Pick<TraceEvent, 'name' | 'target' | 'annotations'> {
  const shownLevel = levelName(level)
  const firstLine = /^[^\r\n]*/.exec(message)![0]
  const name = firstLine.length > MAX_NAME_CHARS ? `${firstLine.slice(0, MAX_NAME_CHARS)}…` : firstLine
  return {
    name: name || shownLevel,
    target,
    annotations: [
      ['level', shownLevel],
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
