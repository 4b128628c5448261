import type { ByteReader } from '../../transit/byte-reader.ts'
import type { DynamicReader, RecordContext } from '../../transit/parser.ts'
import { RecordShape } from '../../transit/record.ts'
import type { TransitObject } from '../../transit/value.ts'

/**
 * Readers of the dynamic event types. Their byte layouts are fixed by name; sources: `micromegas_tracing::parsing` of
 * the reference implementation, which these match member by member.
 */

const described = [
  ['desc', undefined],
  ['time', 'i64'],
  ['msg', undefined],
] as const

const LOG_STRING = new RecordShape('LogStringEvent', described)
const LOG_STRING_V2 = new RecordShape('LogStringEventV2', described)
const TAGGED_LOG_STRING = new RecordShape('TaggedLogString', [
  ['desc', undefined],
  ['properties', undefined],
  ['time', 'i64'],
  ['msg', undefined],
])
const LOG_INTEROP_V2 = new RecordShape('LogStringInteropEventV2', [
  ['time', 'i64'],
  ['level', 'u32'],
  ['target', undefined],
  ['msg', undefined],
])
const LOG_INTEROP_V3 = new RecordShape('LogStringInteropEventV3', [
  ['time', 'i64'],
  ['level', 'u8'],
  ['target', undefined],
  ['msg', undefined],
])
const TAGGED_LOG_INTEROP = new RecordShape('TaggedLogInteropEvent', [
  ['time', 'i64'],
  ['level', 'u8'],
  ['target', undefined],
  ['properties', undefined],
  ['msg', undefined],
])
const IMAGE = new RecordShape('ImageEvent', [
  ['time', 'i64'],
  ['name', undefined],
  ['format', undefined],
  ['data', undefined],
])

/** Legacy: the message is the rest of the record, in UTF-8 that must be valid. */
function readLogString(bytes: ByteReader, context: RecordContext): TransitObject {
  const desc = context.resolve(bytes.readId('desc'), 'desc')
  const time = bytes.readI64('time')
  return LOG_STRING.record([desc, time, bytes.readRestAsUtf8('msg')])
}

function readLogStringV2(bytes: ByteReader, context: RecordContext): TransitObject {
  const desc = context.resolve(bytes.readId('desc'), 'desc')
  const time = bytes.readI64('time')
  return LOG_STRING_V2.record([desc, time, bytes.readString('msg')])
}

function readTaggedLogString(bytes: ByteReader, context: RecordContext): TransitObject {
  const desc = context.resolve(bytes.readId('desc'), 'desc')
  const properties = context.resolve(bytes.readId('properties'), 'properties')
  const time = bytes.readI64('time')
  return TAGGED_LOG_STRING.record([desc, properties, time, bytes.readString('msg')])
}

/** Legacy: a level of 4 bytes, the target as a `StringId`, and the message as the rest of the record. */
function readLogInteropV2(bytes: ByteReader, context: RecordContext): TransitObject {
  const time = bytes.readI64('time')
  const level = bytes.readU32('level')
  const target = context.readNested(bytes, 'StringId')
  return LOG_INTEROP_V2.record([time, level, target, bytes.readRestAsUtf8('msg')])
}

function readLogInteropV3(bytes: ByteReader, context: RecordContext): TransitObject {
  const time = bytes.readI64('time')
  const level = bytes.readU8('level')
  const target = context.readNested(bytes, 'StaticStringRef')
  return LOG_INTEROP_V3.record([time, level, target, bytes.readString('msg')])
}

function readTaggedLogInterop(bytes: ByteReader, context: RecordContext): TransitObject {
  const time = bytes.readI64('time')
  const level = bytes.readU8('level')
  const target = context.readNested(bytes, 'StaticStringRef')
  const properties = context.resolve(bytes.readId('properties'), 'properties')
  return TAGGED_LOG_INTEROP.record([time, level, target, properties, bytes.readString('msg')])
}

function readImage(bytes: ByteReader): TransitObject {
  const time = bytes.readI64('time')
  const name = bytes.readString('name')
  const format = bytes.readString('format')
  const size = bytes.readU32('data length')
  return IMAGE.record([time, name, format, bytes.readBytes(size, 'data')])
}

/** How to read the objects of every dynamic type a Micromegas producer sends. */
export const EVENT_READERS: ReadonlyMap<string, DynamicReader> = new Map([
  ['LogStringEvent', readLogString],
  ['LogStringEventV2', readLogStringV2],
  ['TaggedLogString', readTaggedLogString],
  ['LogStringInteropEventV2', readLogInteropV2],
  ['LogStringInteropEventV3', readLogInteropV3],
  ['TaggedLogInteropEvent', readTaggedLogInterop],
  ['ImageEvent', readImage],
])
