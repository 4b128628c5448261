/** The embedded ingestion server: `micromegas/ingestion`. The SDK itself never imports it. */
export { TelemetryError, type TelemetryErrorCode } from '../errors.ts'
export type { DecodedStream } from '../telemetry/decoder.ts'
export type { Properties } from '../telemetry/properties.ts'
export type { SpanPlace, SpanRow } from '../telemetry/span-place.ts'
export type { ApiKey } from './api-keys.ts'
export type { BlockState } from './block-checker.ts'
export type { DecodedProcess } from './catalog.ts'
export { ingestionOptionsFromEnv } from './env.ts'
export type {
  EventOrigin,
  EventQuery,
  ImageQuery,
  ImageRow,
  LogEntryRow,
  LogQuery,
  MeasureQuery,
  MeasureRow,
} from './event-query.ts'
export type { IngestionReader } from './ingestion-reader.ts'
export type {
  BlockQuery,
  BlockRow,
  InventoryPage,
  ProcessQuery,
  ProcessRow,
  StreamRow,
  Volume,
} from './inventory.ts'
export type { MeasureSummaries, MeasureSummary } from './measure-summary.ts'
export type { OidcIssuer, OidcOptions } from './oidc-verifier.ts'
export type { IngestionServerOptions, PrintTarget } from './options.ts'
export type { Paged } from './query-rules.ts'
export type { Cursor, EventOrder, EventPosition, Page } from './scan.ts'
export { type IngestionServer, startIngestionServer } from './server.ts'
export type { IngestionEvent, IngestionEventListener } from './server-event.ts'
export type { SpanCursor, SpanEntry, SpanPage, SpanProblem, SpanQuery } from './span-query.ts'
export type { StoredBlock } from './store-index.ts'
