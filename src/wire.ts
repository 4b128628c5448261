/**
 * What a server needs of this package: parser and decoders of the wire format, and what both must answer alike. Not for
 * services that record: see `micromegas`.
 */

export {
  type AuthorizationRequest,
  authorizationParameters,
  DEFAULT_SCOPE,
  discoverIssuer,
} from './auth/login/issuers.ts'
export { type ProviderFetch, providerFetch } from './auth/login/provider-fetch.ts'
export type {
  IdentityProviderFetch,
  IdentityProviderRequest,
  IdentityProviderResponse,
} from './auth/oidc/oidc-options.ts'
export { parseFlag } from './config/flag.ts'
export { misspeltVariables } from './config/misspelt-variables.ts'
export { optionProblems } from './config/option-problems.ts'
export type { Env } from './config/process-env.ts'
export type { HttpFetchRequest, HttpFetchResponse } from './http/clients/http-fetch.ts'
export { proxiedFetch } from './http/proxy/proxied-fetch.ts'
export { isLoopbackHost } from './http/transport-security.ts'
export { TelemetryError, type TelemetryErrorCode } from './model/errors.ts'
export { LEVEL_NAMES, type LevelName, levelName } from './model/level.ts'
export type { ProcessInfo } from './model/process-info.ts'
export { editDistance } from './model/text/edit-distance.ts'
export { errorMessage } from './model/text/error-message.ts'
export {
  parseTextPattern,
  TEXT_PATTERN_EXPECTED,
  type TextPattern,
  textMatcher,
} from './model/text/text-pattern.ts'
export { type CborValue, encodeCbor } from './telemetry/cbor-writer.ts'
export {
  type AsyncSpanEvent,
  type AsyncSpans,
  pairAsyncSpans,
  readAsyncSpanEvents,
} from './telemetry/decode/async-spans.ts'
export {
  type DecodedBlock,
  type DecodedStream,
  decodeBlock,
  decodeProcess,
  decodeStream,
} from './telemetry/decode/decoder.ts'
export { EVENT_READERS } from './telemetry/decode/event-readers.ts'
export { type DecodedImage, readImages } from './telemetry/decode/images.ts'
export { type DecodedLogEntry, readLogEntries } from './telemetry/decode/log-entries.ts'
export { type DecodedMeasure, readMeasures } from './telemetry/decode/measures.ts'
export type { DecodedProperties } from './telemetry/decode/properties.ts'
export { isSamePlace, type SpanPlace, type SpanRow } from './telemetry/decode/span-place.ts'
export {
  isThreadSpanEvent,
  readThreadSpanEvents,
  rebuildThreadSpans,
  THREAD_ROW_ID,
  type ThreadSpanBlock,
  type ThreadSpanEvent,
} from './telemetry/decode/thread-spans.ts'
export { type BlockEnd, type ProcessClock, TickConverter } from './telemetry/decode/tick-converter.ts'
export type { EventOptions } from './telemetry/event-options.ts'
export { decompressFrame } from './telemetry/lz4/lz4-frame.ts'
export { xxh32 } from './telemetry/lz4/xxh32.ts'
export { formatTimestamp, parseTimestamp } from './telemetry/timestamps.ts'
export { parseUuid } from './telemetry/uuid.ts'
export type { ByteReader, DependencyId } from './transit/byte-reader.ts'
export { BlockParser, type DynamicReader, type RecordContext, type RecordTypes } from './transit/parser.ts'
export type { Member, UserDefinedType } from './transit/reflection.ts'
export type { NumericKind, PropertyList, TransitObject, TransitValue } from './transit/value.ts'
