import type { Connection } from '../../../tables/database.ts'
import type { Annotations, PerfettoWriter } from './format/perfetto-writer.ts'
import { type Notes, noteEach } from './notes.ts'
import { PropertyReader } from './property-reader.ts'
import { countRows, pages, type TraceRequest } from './trace-request.ts'

/** Tracks of one metric, those with the most values; further property sets share one more. */
export const MAX_SETS = 100
/** Characters of a track's name that tell its properties; its description has all. */
const MAX_NAME_CHARS = 200

/** Writes measures as counters: a track for each metric, where its properties differ one for each set. */
export async function writeCounters(
  connection: Connection,
  { name, measures, signal }: TraceRequest,
  writer: PerfettoWriter,
  notes: Notes,
  store: () => Promise<void>,
): Promise<void> {
  if (measures === undefined) return
  // Columns of measures: …, time, target, name, unit, value, properties.
  await connection.run(
    `CREATE TEMP TABLE ${name}_values AS
     WITH m AS MATERIALIZED (SELECT c7 AS t, c8 AS target, c9 AS name, c10 AS unit, c11 AS value, c12 AS properties FROM (${measures})),
     counted AS (SELECT target, name, unit, properties, count(*) AS c FROM m GROUP BY ALL),
     sets AS (SELECT *, row_number() OVER (PARTITION BY target, name, unit ORDER BY c DESC, properties) AS s,
       count(*) OVER (PARTITION BY target, name, unit) AS sets FROM counted)
     SELECT CAST(row_number() OVER () AS INTEGER) AS n, v.* FROM (
       SELECT m.*, CAST(least(s, ${MAX_SETS + 1}) AS INTEGER) AS s, sets FROM m JOIN sets USING (target, name, unit, properties)
       ORDER BY target, name, unit, least(s, ${MAX_SETS + 1}), t) v`,
  )
  const count = await countRows(connection, `${name}_values`)
  const rows = pages(
    connection,
    signal,
    count,
    (after, last) =>
      `SELECT target, name, unit, s, sets, t, value, properties FROM ${name}_values WHERE n > ${after} AND n <= ${last} ORDER BY n`,
  )
  const reader = new PropertyReader()
  const tracks = new CounterTracks(writer)
  for await (const page of rows) {
    for (const row of page) {
      const metric = { target: String(row[0]), name: String(row[1]), unit: String(row[2]) }
      const [set, sets, value] = [row[3] as number, Number(row[4]), row[6] as number]
      const properties = reader.of(row[7] as string)
      const isShared = set > MAX_SETS
      const track = tracks.of(metric, set, sets, isShared ? [] : properties)
      // Perfetto draws no value that is not a number.
      if (Number.isFinite(value))
        writer.count(track, row[5] as bigint, value, isShared ? properties : undefined)
    }
    await store()
  }
  await noteEach(
    notes,
    connection,
    `SELECT target, name, count(*) FROM ${name}_values WHERE NOT isfinite(value) GROUP BY target, name`,
    (metric, lost) => `Values of ${metric} that are not numbers: ${lost}`,
  )
  await noteEach(
    notes,
    connection,
    `SELECT target, name, any_value(sets) FROM ${name}_values WHERE sets > ${MAX_SETS} GROUP BY target, name, unit`,
    (metric, sets) =>
      `${metric} has ${sets} property sets: the ${MAX_SETS} with the most values have tracks of their own, the others share one`,
  )
  await connection.run(`DROP TABLE ${name}_values`)
}

interface Metric {
  readonly target: string
  readonly name: string
  readonly unit: string
}

/** The tracks of counters, which are asked for in order: only the last is remembered. */
class CounterTracks {
  readonly #writer: PerfettoWriter
  #target: string | undefined
  #parent = 0n
  #count = 0
  #key: string | undefined
  #track = 0n

  constructor(writer: PerfettoWriter) {
    this.#writer = writer
  }

  of(metric: Metric, set: number, sets: number, properties: Annotations): bigint {
    const { target, name, unit } = metric
    const key = JSON.stringify([target, name, unit, set])
    if (key === this.#key) return this.#track
    this.#key = key
    if (target !== this.#target) {
      this.#target = target
      this.#parent = this.#writer.trackDescriptor(`metrics_${target}`, { name: `Metrics ${target}` })
    }
    const told = properties.map(([property, text]) => `${property}=${text as string}`).join(', ')
    const which = set > MAX_SETS ? 'further property sets' : sets > 1 ? told : ''
    const shown = which.length > MAX_NAME_CHARS ? `${which.slice(0, MAX_NAME_CHARS)}…` : which
    this.#track = this.#writer.trackDescriptor(`counter_${this.#count++}`, {
      name: which === '' ? name : `${name} {${shown}}`,
      parent: this.#parent,
      description: [`target=${target}`, `unit=${unit}`, ...(told === '' ? [] : [told])].join(', '),
      counter: { unit },
    })
    return this.#track
  }
}
