import { levelName, type TransitObject, type TransitValue } from 'micromegas/wire'
import type { Identity } from '../auth/identity.ts'
import { formatNanoseconds } from '../nanoseconds.ts'
import type { EventOrigin, ImageRow, LogEntryRow, MeasureRow } from '../scan/event-query.ts'
import type { BlockRow, ProcessRow, RawEvent, StreamRow, Volume } from '../scan/inventory.ts'
import type { MeasureSummary } from '../scan/measure-summary.ts'
import type { SpanEntry } from '../scan/span-query.ts'
import type { Problem } from '../server-stats.ts'

/*
 * The read API's JSON. Names are the columns of the reference's views. Times are RFC 3339 with nanoseconds beside the
 * same as a decimal string; 64-bit integers are strings always, so that a reader needs one rule and no digit is lost.
 */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export function logEntryJson(row: LogEntryRow): Json {
  const { level, target, properties } = row
  const isCut = row.msg.length > MAX_MESSAGE
  const msg = isCut ? row.msg.slice(0, MAX_MESSAGE) : row.msg
  const entry = { ...originJson(row), level, level_name: levelName(level), target, msg, properties }
  return isCut ? { ...entry, msg_length: row.msg.length } : entry
}

export function measureJson(row: MeasureRow): Json {
  const { name, unit, value, target, properties } = row
  return { ...originJson(row), name, unit, value: floatJson(value), target, properties }
}

export function measureSummaryJson(row: MeasureSummary): Json {
  const { processId, exe, name, unit, target, group, count, sum, min, max, mean, last, lastTimeNs } = row
  return {
    process_id: processId,
    exe,
    name,
    unit,
    target,
    ...(Object.keys(group).length > 0 && { group }),
    count,
    sum: floatJson(sum),
    min: floatJson(min),
    max: floatJson(max),
    mean: floatJson(mean),
    last: floatJson(last),
    last_time: formatNanoseconds(lastTimeNs),
  }
}

export function imageJson(row: ImageRow): Json {
  const { name, format, payloadBytes, blockId, index } = row
  return {
    ...originJson(row),
    name,
    format,
    payload_size: payloadBytes,
    data: `/api/images/${blockId}/${index}`,
  }
}

export function spanJson(row: SpanEntry): Json {
  return {
    kind: row.kind,
    id: String(row.id),
    parent: String(row.parent),
    depth: row.depth,
    name: row.name,
    target: row.target,
    filename: row.filename,
    line: row.line,
    begin: formatNanoseconds(row.beginNs),
    begin_ns: String(row.beginNs),
    end: formatNanoseconds(row.endNs),
    end_ns: String(row.endNs),
    duration_ns: String(row.durationNs),
    duration_ms: Number(row.durationNs) / 1e6,
    process_id: row.processId,
    stream_id: row.streamId ?? null,
    exe: row.exe,
    properties: row.properties,
  }
}

export function processJson(row: ProcessRow): Json {
  return {
    process_id: row.processId,
    exe: row.exe,
    username: row.username,
    realname: row.realname,
    computer: row.computer,
    distro: row.distro,
    cpu_brand: row.cpuBrand,
    tsc_frequency: String(row.tscFrequency),
    start_time: formatNanoseconds(row.startTimeMicros * 1000n),
    start_ticks: String(row.startTicks),
    parent_process_id: row.parentProcessId ?? null,
    properties: row.properties,
    insert_time: timeJson(row.insertTimeMs),
    streams: row.streams,
    ...volumeJson(row),
  }
}

export function streamJson(row: StreamRow): Json {
  return {
    stream_id: row.streamId,
    process_id: row.processId,
    tags: row.tags,
    properties: row.properties,
    dependency_types: row.dependenciesMetadata.map(({ name }) => name),
    object_types: row.objectsMetadata.map(({ name }) => name),
    insert_time: timeJson(row.insertTimeMs),
    ...volumeJson(row),
  }
}

export function blockJson(row: BlockRow): Json {
  return {
    block_id: row.blockId,
    stream_id: row.streamId,
    process_id: row.processId,
    begin_time: formatNanoseconds(row.beginTimeMicros * 1000n),
    end_time: formatNanoseconds(row.endTimeMicros * 1000n),
    begin_ticks: String(row.beginTicks),
    end_ticks: String(row.endTicks),
    object_offset: String(row.objectOffset),
    nb_objects: row.eventCount,
    bytes: row.bodyBytes,
    insert_time: timeJson(row.insertTimeMs),
    state: row.state,
    reason: row.reason ?? null,
  }
}

export function rawEventJson({ index, object }: RawEvent): Json {
  return { index, ...(objectJson(object, 0) as { readonly [key: string]: Json }) }
}

export function problemJson({ atMs, event }: Problem): Json {
  const { type, ...details } = event
  const fields = Object.entries(details).map(([name, value]) => [SNAKE_NAMES[name] ?? name, value])
  return { time: timeJson(atMs), type, ...Object.fromEntries(fields) }
}

export function identityJson(identity: Identity): Json {
  return {
    method: identity.method,
    subject: identity.subject,
    email: identity.email ?? null,
    issuer: identity.issuer,
    audience: identity.audience ?? null,
    expires_at: identity.expiresAtMs === undefined ? null : timeJson(identity.expiresAtMs),
    admin: identity.admin,
  }
}

/** Milliseconds since the Unix epoch as RFC 3339. */
export function timeJson(ms: number): string {
  return formatNanoseconds(BigInt(Math.trunc(ms)) * 1_000_000n)
}

const SNAKE_NAMES: Readonly<Record<string, string>> = {
  blockId: 'block_id',
  streamId: 'stream_id',
  processId: 'process_id',
}

function originJson(row: EventOrigin): { readonly [key: string]: Json } {
  return {
    time: formatNanoseconds(row.timeNs),
    time_ns: String(row.timeNs),
    process_id: row.processId,
    stream_id: row.streamId,
    block_id: row.blockId,
    index: row.index,
    exe: row.exe,
  }
}

function volumeJson({ blocks, events, bytes, lastTimeNs }: Volume): { readonly [key: string]: Json } {
  return { blocks, events, bytes, last_time: lastTimeNs === undefined ? null : formatNanoseconds(lastTimeNs) }
}

/** JSON has no NaN and no infinities: they are the strings JavaScript prints. */
function floatJson(value: number): Json {
  return Number.isFinite(value) ? value : String(value)
}

/** UTF-16 units of a message that are shown. */
const MAX_MESSAGE = 1024 * 1024
/** Bytes of a binary member that are shown. */
const MAX_BYTES_SHOWN = 4096
/** A descriptor refers to strings, an event to descriptors; corrupt blocks may nest deeper. */
const MAX_DEPTH = 16

function objectJson(object: TransitObject, depth: number): Json {
  const members = [...object.members].map(([name, value]) => {
    return { name, type: object.kind(name) ?? null, value: valueJson(value, depth + 1) }
  })
  return { type: object.typeName, members }
}

function valueJson(value: TransitValue, depth: number): Json {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return floatJson(value)
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) {
    return {
      length: value.length,
      base64: Buffer.from(value.subarray(0, MAX_BYTES_SHOWN)).toString('base64'),
    }
  }
  if ('typeName' in value) return depth > MAX_DEPTH ? '…' : objectJson(value, depth)
  return { properties: value.map(([key, text]) => [key, text]) }
}
