import type { Connection } from '../../../tables/database.ts'
import type { PerfettoWriter } from './format/perfetto-writer.ts'
import { Lookup } from './lookup.ts'
import { type Notes, noteEach } from './notes.ts'
import { countRows, pages, type TraceRequest } from './trace-request.ts'

/** Tracks of one metric, those with the most values; further property sets share one more. */
const MAX_SETS = 100
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
  await connection.run(`CREATE TEMP TABLE ${name}_series AS ${seriesSql(measures)}`)
  await connection.run(
    `CREATE TEMP TABLE ${name}_values AS SELECT CAST(row_number() OVER () AS INTEGER) AS n, v.* FROM (
       SELECT id, c7 AS t, c11 AS value FROM (${measures}) JOIN ${name}_series s
         ON s.target_id = c8 AND s.name_id = c9 AND s.unit_id = c10 AND s.set_id = c12
       ORDER BY track, t) v`,
  )
  const count = await countRows(connection, `${name}_values`)
  const rows = pages(
    connection,
    signal,
    count,
    (after, last) => `SELECT id, t, value FROM ${name}_values WHERE n > ${after} AND n <= ${last} ORDER BY n`,
  )
  const series = seriesLookup(connection, `${name}_series`)
  const tracks = new CounterTracks(writer)
  for await (const page of rows) {
    await series.load(page.map(([id]) => id))
    for (const [id, timeNs, value] of page) {
      const one = series.get(id)
      const track = tracks.of(one)
      // Perfetto draws no value that is not a number.
      if (!Number.isFinite(value)) continue
      writer.count(track, timeNs as bigint, value as number, one.isShared ? one.properties : undefined)
    }
    await store()
  }
  await noteEach(
    notes,
    connection,
    `SELECT target, name, count(*) FROM ${name}_values JOIN ${name}_series USING (id) WHERE NOT isfinite(value) GROUP BY target, name`,
    (metric, lost) => `Values of ${metric} that are not numbers: ${lost}`,
  )
  await noteEach(
    notes,
    connection,
    `SELECT target, name, any_value(sets) FROM ${name}_series WHERE sets > ${MAX_SETS} GROUP BY target, name, unit`,
    (metric, sets) =>
      `${metric} has ${sets} property sets: the ${MAX_SETS} with the most values have tracks of their own, the others share one`,
  )
  for (const table of ['values', 'series']) await connection.run(`DROP TABLE ${name}_${table}`)
}

/** Each metric with each of its property sets, and the track it is on. Two numbers may mean one text. */
function seriesSql(measures: string): string {
  // Columns of measures: …, time, target, name, unit, value, property set.
  return `WITH counted AS (SELECT c8 AS target_id, c9 AS name_id, c10 AS unit_id, c12 AS set_id, count(*) AS c FROM (${measures}) GROUP BY ALL),
    told AS (SELECT counted.*, tt.text AS target, tn.text AS name, tu.text AS unit, ps.json AS properties FROM counted
      JOIN texts tt ON tt.id = target_id JOIN texts tn ON tn.id = name_id JOIN texts tu ON tu.id = unit_id
      JOIN property_sets ps ON ps.id = set_id),
    summed AS (SELECT target, name, unit, properties, sum(c) AS c FROM told GROUP BY ALL),
    sets AS (SELECT *, row_number() OVER (PARTITION BY target, name, unit ORDER BY c DESC, properties) AS s,
      count(*) OVER (PARTITION BY target, name, unit) AS sets FROM summed)
    SELECT CAST(row_number() OVER () AS INTEGER) AS id, target_id, name_id, unit_id, set_id, target, name, unit, properties, sets,
      s > ${MAX_SETS} AS is_shared, CAST(dense_rank() OVER (ORDER BY target, name, unit, least(s, ${MAX_SETS + 1})) AS INTEGER) AS track
    FROM told JOIN sets USING (target, name, unit, properties)`
}

interface Series {
  readonly track: number
  readonly target: string
  readonly name: string
  readonly unit: string
  readonly properties: readonly (readonly [string, string])[]
  /** Property sets of the metric. */
  readonly sets: number
  readonly isShared: boolean
}

function seriesLookup(connection: Connection, table: string): Lookup<Series> {
  return new Lookup(
    connection,
    `SELECT id, track, target, name, unit, properties, sets, is_shared FROM ${table}`,
    ([, track, target, name, unit, properties, sets, isShared]) => ({
      track: Number(track),
      target: String(target),
      name: String(name),
      unit: String(unit),
      properties: Object.entries(JSON.parse(String(properties)) as Record<string, string>),
      sets: Number(sets),
      isShared: isShared === true,
    }),
  )
}

/** The tracks of counters, which are asked for in order: only the last is remembered. */
class CounterTracks {
  readonly #writer: PerfettoWriter
  #target: string | undefined
  #parent = 0n
  #number: number | undefined
  #track = 0n

  constructor(writer: PerfettoWriter) {
    this.#writer = writer
  }

  of({ track, target, name, unit, properties, sets, isShared }: Series): bigint {
    if (track === this.#number) return this.#track
    this.#number = track
    if (target !== this.#target) {
      this.#target = target
      this.#parent = this.#writer.trackDescriptor(`metrics_${target}`, { name: `Metrics ${target}` })
    }
    const told = isShared
      ? 'further property sets'
      : properties.map(([property, text]) => `${property}=${text}`).join(', ')
    const shown = told.length > MAX_NAME_CHARS ? `${told.slice(0, MAX_NAME_CHARS)}…` : told
    this.#track = this.#writer.trackDescriptor(`counter_${track}`, {
      name: sets > 1 ? `${name} {${shown}}` : name,
      parent: this.#parent,
      description: [`target=${target}`, `unit=${unit}`, ...(told === '' ? [] : [told])].join(', '),
      counter: { unit },
    })
    return this.#track
  }
}
