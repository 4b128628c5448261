import type { Connection } from '../../../tables/database.ts'
import { quote } from '../../plan/expression/expr.ts'
import { BY_TIME } from '../range-filter.ts'
import { scanSql } from '../scan-builder.ts'
import { ASYNC_EVENTS } from '../shapes.ts'
import { type AsyncLanes, OTHER_SPANS } from './async-lanes.ts'
import type { PerfettoWriter } from './format/perfetto-writer.ts'
import type { TraceRequest } from './trace-request.ts'

/** What a trace does not show, told in the trace itself: a track of notes at its begin. */
export class Notes {
  readonly #notes: { readonly text: string; readonly facts: Readonly<Record<string, string>> }[] = []

  add(text: string, facts: Readonly<Record<string, string>> = {}): void {
    this.#notes.push({ text, facts })
  }

  write(writer: PerfettoWriter, timeNs: bigint): void {
    if (this.#notes.length === 0) return
    const track = writer.trackDescriptor('notes', { name: 'Not in this trace' })
    for (const { text, facts } of this.#notes) {
      writer.instant(track, timeNs, { name: text, target: 'micromegas', annotations: Object.entries(facts) })
    }
  }
}

/** Metrics of which one thing is noted; the others are counted. */
const MAX_EACH = 100

/** @param sql - Metrics to note something of: target, name, a number. */
export async function noteEach(
  notes: Notes,
  connection: Connection,
  sql: string,
  tell: (metric: string, count: string) => string,
): Promise<void> {
  const rows = await connection.all(`SELECT *, count(*) OVER () FROM (${sql}) ORDER BY ALL LIMIT ${MAX_EACH}`)
  for (const [target, metric, count] of rows) {
    notes.add(tell(String(metric), String(count)), { target: String(target) })
  }
  const more = Number(rows[0]?.[3] ?? 0) - rows.length
  if (more > 0) notes.add(`The same of further metrics: ${more}`)
}

/** What the bounds of lanes cost. */
export function noteLanes(notes: Notes, { lost }: AsyncLanes): void {
  if (lost.names > 0)
    notes.add(`Async spans on lanes called "${OTHER_SPANS}", for there are too many names: ${lost.names}`)
  if (lost.parents > 0)
    notes.add(`Async spans without an arrow from a parent that ended long before: ${lost.parents}`)
  if (lost.arrows > 0) notes.add(`Arrows from async spans that have too many of them: ${lost.arrows}`)
}

/** Async spans are shown whole or not at all: those that are not. */
export async function noteUnpaired(
  notes: Notes,
  connection: Connection,
  { processId, range }: TraceRequest,
): Promise<void> {
  const at = (name: string): number => ASYNC_EVENTS.fields.findIndex((field) => field.name === name)
  const [time, type, id] = [at('time'), at('event_type'), at('span_id')]
  const conditions = [`p.process_id = ${quote(processId)}`, ...BY_TIME(range)]
  const [counts] = await connection.all(
    `SELECT count(*) FILTER (e IS NULL), count(*) FILTER (b IS NULL), count(*) FILTER (b >= e) FROM (
       SELECT min(c${time}) FILTER (c${type} = 'begin') AS b, max(c${time}) FILTER (c${type} = 'end') AS e
       FROM (${scanSql(ASYNC_EVENTS, new Set([time, type, id]), conditions)}) GROUP BY c${id})`,
  )
  const texts = ['without an end in this range', 'without a begin in this range', 'without a duration']
  for (const [i, text] of texts.entries()) {
    if (Number(counts![i]) > 0) notes.add(`Async spans ${text}: ${counts![i]}`)
  }
}
