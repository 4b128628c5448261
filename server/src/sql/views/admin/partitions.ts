import { SCHEMA_VERSION, VIEW_SETS } from '../../../tables/schema.ts'
import type { TableSource } from '../../plan/context.ts'
import { typeName } from '../../types/arrow-type.ts'
import { FIELDS } from '../fields.ts'
import { rowsSql } from '../information-schema.ts'

const HOUR = '3600000000000'
const DAY = '86400000000000'

/** The bytes of this server's version of the tables: what the reference keeps as the hash of a schema. */
const SCHEMA_HASH = `from_hex('${SCHEMA_VERSION.toString(16).padStart(2, '0')}')`

/** A count as the eight bytes that the reference keeps of what a partition was made from. */
const COUNT_HASH = (count: string): string =>
  `from_hex(array_to_string(list_transform(range(0, 8), lambda i: printf('%02x', CAST((${count}) // CAST(pow(256, i) AS BIGINT) % 256 AS INTEGER))), ''))`

/**
 * What is decoded, by set of views, instance and hour of insertion. The views of processes, streams and blocks are always
 * whole: each has one partition a day.
 */
export function listPartitions(): TableSource {
  return {
    fields: FIELDS.list_partitions,
    sql: () => `SELECT view_set AS c0, instance AS c1, first AS c2, last AS c3, min_time AS c4, max_time AS c5, updated AS c6,
      'duckdb://' || view_set || '/' || instance || '/' || CAST(first AS VARCHAR) AS c7, bytes AS c8, ${SCHEMA_HASH} AS c9,
      ${COUNT_HASH('source')} AS c10, row_total AS c11, 1 AS c12, CAST(NULL AS VARCHAR[]) AS c13, CAST(NULL AS BIGINT) AS c14
      FROM (${decodedPartitions()} UNION ALL ${wholePartitions()}) ORDER BY view_set, instance, first`,
  }
}

function decodedPartitions(): string {
  const name = Object.entries(VIEW_SETS)
    .map(([set, number]) => `WHEN ${number} THEN '${set}'`)
    .join(' ')
  const instance = `CASE WHEN d.view_set IN (${VIEW_SETS.log_entries}, ${VIEW_SETS.measures}) THEN 'global'
    WHEN d.view_set = ${VIEW_SETS.thread_spans} THEN s.stream_id ELSE p.process_id END`
  return `SELECT CASE d.view_set ${name} END AS view_set, ${instance} AS instance,
    b.insert_time // ${HOUR} * ${HOUR} AS first, (b.insert_time // ${HOUR} + 1) * ${HOUR} AS last,
    min(d.min_time) AS min_time, max(d.max_time) AS max_time, max(d.updated) AS updated, CAST(sum(d.bytes) AS BIGINT) AS bytes,
    CAST(sum(b.nb_objects) AS BIGINT) AS source, CAST(sum(d.row_count) AS BIGINT) AS row_total
    FROM decoded d JOIN blocks b ON b.id = d.block JOIN streams s ON s.id = b.stream JOIN processes p ON p.id = b.process
    GROUP BY ALL`
}

function wholePartitions(): string {
  const day = `b.insert_time // ${DAY} * ${DAY}`
  const one = (
    set: string,
    rows: string,
  ): string => `SELECT '${set}' AS view_set, 'global' AS instance, ${day} AS first,
    (b.insert_time // ${DAY} + 1) * ${DAY} AS last, min(b.begin_time) AS min_time, max(b.end_time) AS max_time,
    max(b.insert_time) AS updated, CAST(sum(greatest(b.payload_size, 0)) AS BIGINT) AS bytes, count(*) AS source, ${rows} AS row_total
    FROM blocks b GROUP BY ALL`
  return [
    one('blocks', 'count(*)'),
    one('processes', 'count(DISTINCT b.process)'),
    one('streams', 'count(DISTINCT b.stream)'),
  ].join(' UNION ALL ')
}

/** The versions of the schemas of the reference's views. */
const SETS = [
  ['async_events', true, false],
  ['blocks', false, true],
  ['images', true, false],
  ['log_entries', true, true],
  ['log_stats', false, true],
  ['measures', true, true],
  ['net_spans', true, false],
  ['otel_spans', true, false],
  ['processes', false, true],
  ['streams', false, true],
  ['thread_spans', true, false],
] as const

export function listViewSets(): TableSource {
  const fields = FIELDS.list_view_sets
  return {
    fields,
    sql: () => {
      const rows = SETS.map(([name, hasMaker, isGlobal]) => [name, schemaText(name), hasMaker, isGlobal])
      const list = `SELECT c0, ${SCHEMA_HASH} AS c1, c1 AS c2, c2 AS c3, c3 AS c4`
      const columns = [fields[0], fields[2], fields[3], fields[4]]
      return `${list} FROM (${rowsSql(columns, rows)})`
    },
  }
}

function schemaText(name: (typeof SETS)[number][0]): string {
  const fields = FIELDS[name].map(
    (field) =>
      `Field { name: "${field.name}", data_type: ${typeName(field.type)}, nullable: ${field.nullable} }`,
  )
  return `Schema { fields: [${fields.join(', ')}], metadata: {} }`
}
