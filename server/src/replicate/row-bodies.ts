import { encodeCbor, formatTimestamp } from 'micromegas/wire'
import { decodeJsonb } from '../sql/jsonb/jsonb.ts'
import type { SqlRow } from '../sql/read-rows.ts'
import { STREAM_FORMAT } from '../sql/views/shapes.ts'

/** The tables that rows of another server can be written to. */
export const REPLICATED_TABLES = ['processes', 'streams', 'blocks', 'payloads'] as const
export type ReplicatedTable = (typeof REPLICATED_TABLES)[number]

/** What a row must have; it may have more, as `SELECT *` from the view does. */
export const ROW_COLUMNS: Readonly<Record<ReplicatedTable, readonly string[]>> = {
  processes: [
    'process_id',
    'exe',
    'username',
    'realname',
    'computer',
    'distro',
    'cpu_brand',
    'tsc_frequency',
    'start_time',
    'start_ticks',
    'parent_process_id',
    'properties',
  ],
  streams: [
    'stream_id',
    'process_id',
    'dependencies_metadata',
    'objects_metadata',
    'tags',
    'properties',
    'format',
  ],
  blocks: [
    'block_id',
    'stream_id',
    'process_id',
    'begin_time',
    'begin_ticks',
    'end_time',
    'end_ticks',
    'nb_objects',
    'object_offset',
  ],
  payloads: ['process_id', 'stream_id', 'block_id', 'payload'],
}

/** First byte of a map without members (RFC 8949, section 3.1). */
const SHORT_MAP = 0xa0
type Members = readonly (readonly [key: string, item: Uint8Array])[]

/** The body of the `insert_process` request that a row came from. @throws Error for a row that cannot have come from one. */
export function processBody(row: SqlRow): Uint8Array {
  const parent = text(row, 'parent_process_id', '')
  return mapOf([
    ...texts(row, 'process_id', 'exe', 'username', 'realname', 'computer', 'distro', 'cpu_brand'),
    ...integers(row, 'tsc_frequency', 'start_ticks'),
    ['start_time', encodeCbor(timestamp(row, 'start_time'))],
    ['parent_process_id', encodeCbor(parent === '' ? null : parent)],
    ['properties', encodeCbor(properties(row))],
  ])
}

/** The body of the `insert_stream` request that a row came from. @throws Error for a row that cannot have come from one. */
export function streamBody(row: SqlRow): Uint8Array {
  const format = text(row, 'format')
  if (format !== STREAM_FORMAT)
    throw new Error(`format ${JSON.stringify(format)}: this server reads ${STREAM_FORMAT} only`)
  const { tags } = row
  if (!Array.isArray(tags)) throw new Error('tags: expected a list of texts')
  return mapOf([
    ...texts(row, 'stream_id', 'process_id'),
    ['dependencies_metadata', bytes(row, 'dependencies_metadata')],
    ['objects_metadata', bytes(row, 'objects_metadata')],
    ['tags', encodeCbor(tags.map(String))],
    ['properties', encodeCbor(properties(row))],
  ])
}

/** What the body of an `insert_block` request has beside the payload. */
export function blockMembers(row: SqlRow): Members {
  return [
    ...texts(row, 'block_id', 'stream_id', 'process_id'),
    ...integers(row, 'begin_ticks', 'end_ticks', 'object_offset', 'nb_objects'),
    ['begin_time', encodeCbor(timestamp(row, 'begin_time'))],
    ['end_time', encodeCbor(timestamp(row, 'end_time'))],
  ]
}

/** A CBOR map of at most 23 members, whose values are CBOR already. */
export function mapOf(members: Members): Buffer {
  const head = Uint8Array.of(SHORT_MAP | members.length)
  return Buffer.concat([head, ...members.flatMap(([key, item]) => [encodeCbor(key), item])])
}

/** A map of {@link mapOf} with one member more. */
export function withMember(map: Uint8Array, key: string, item: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of((map[0] ?? SHORT_MAP) + 1), map.subarray(1), encodeCbor(key), item])
}

export function text(row: SqlRow, column: string, whenNull?: string): string {
  const value = row[column] ?? whenNull
  if (typeof value !== 'string') throw new Error(`${column}: expected a text, got ${kindOf(value)}`)
  return value
}

export function bytes(row: SqlRow, column: string): Uint8Array {
  const value = row[column]
  if (!(value instanceof Uint8Array)) throw new Error(`${column}: expected bytes, got ${kindOf(value)}`)
  return value
}

function texts(row: SqlRow, ...columns: readonly string[]): Members {
  return columns.map((column) => [column, encodeCbor(text(row, column))])
}

function integers(row: SqlRow, ...columns: readonly string[]): Members {
  return columns.map((column) => [column, encodeCbor(integer(row, column))])
}

function integer(row: SqlRow, column: string): bigint {
  const value = row[column]
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  throw new Error(`${column}: expected an integer, got ${kindOf(value)}`)
}

/** Times of the wire have microseconds; producers send no finer ones. */
function timestamp(row: SqlRow, column: string): string {
  return formatTimestamp(integer(row, column) / 1000n)
}

/** Properties as views have them (JSONB), or as tables of the reference's database do (a list of key and value). */
function properties(row: SqlRow): Readonly<Record<string, string>> {
  const value = row.properties
  if (value === null) return {}
  if (value instanceof Uint8Array) {
    const json = decodeJsonb(value)
    if (json === undefined) throw new Error('properties: these bytes are no JSONB')
    return textsOf(Object.entries(JSON.parse(json) as object))
  }
  if (Array.isArray(value))
    return textsOf(value.map(({ key, value: text }: SqlRow) => [String(key), text] as const))
  throw new Error(`properties: expected JSONB or a list of key and value, got ${kindOf(value)}`)
}

function textsOf(entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  )
}

function kindOf(value: unknown): string {
  return value === null || value === undefined ? 'nothing' : typeof value
}
