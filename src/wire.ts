/**
 * What a server needs of this package: parser and decoders of the wire format, and what both must answer alike. Not for
 * services that record: see `micromegas`.
 */

export type { HttpFetchRequest, HttpFetchResponse } from './http/http-fetch.ts'
export { proxiedFetch } from './http/proxied-fetch.ts'
export type { ProxyEnv } from './http/proxy.ts'
export { isLoopbackHost } from './http/transport-security.ts'
export { errorMessage } from './model/error-message.ts'
export { TelemetryError, type TelemetryErrorCode } from './model/errors.ts'
export type { ProcessInfo } from './model/process-info.ts'
export {
  parseTextPattern,
  TEXT_PATTERN_EXPECTED,
  type TextPattern,
  textMatcher,
} from './model/text-pattern.ts'
export {
  type AsyncSpanEvent,
  type AsyncSpans,
  pairAsyncSpans,
  readAsyncSpanEvents,
} from './telemetry/async-spans.ts'
export {
  type DecodedBlock,
  type DecodedStream,
  decodeBlock,
  decodeProcess,
  decodeStream,
} from './telemetry/decoder.ts'
export type { EventOptions } from './telemetry/event-options.ts'
export { EVENT_READERS } from './telemetry/event-readers.ts'
export { type DecodedImage, readImages } from './telemetry/images.ts'
export { type DecodedLogEntry, readLogEntries } from './telemetry/log-entries.ts'
export { decompressFrame } from './telemetry/lz4-frame.ts'
export { type DecodedMeasure, readMeasures } from './telemetry/measures.ts'
export type { DecodedProperties } from './telemetry/properties.ts'
export { isSamePlace, type SpanPlace, type SpanRow } from './telemetry/span-place.ts'
export {
  readThreadSpanEvents,
  rebuildThreadSpans,
  THREAD_ROW_ID,
  type ThreadSpanBlock,
  type ThreadSpanEvent,
} from './telemetry/thread-spans.ts'
export { type BlockEnd, type ProcessClock, TickConverter } from './telemetry/tick-converter.ts'
export { parseTimestamp } from './telemetry/timestamps.ts'
export { parseUuid } from './telemetry/uuid.ts'
export { xxh32 } from './telemetry/xxh32.ts'
export type { ByteReader, DependencyId } from './transit/byte-reader.ts'
export { BlockParser, type DynamicReader, type RecordContext, type RecordTypes } from './transit/parser.ts'
export type { Member, UserDefinedType } from './transit/reflection.ts'
export type { NumericKind, PropertyList, TransitObject, TransitValue } from './transit/value.ts'
