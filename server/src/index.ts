/**
 * The server for one machine: takes telemetry, keeps it and answers questions about it. The SDK itself never imports it.
 *
 * @module micromegas-server
 */

export {
  type DecodedProperties,
  type DecodedStream,
  type Env,
  type SpanPlace,
  type SpanRow,
  TelemetryError,
  type TelemetryErrorCode,
} from 'micromegas/wire'
export type { Admin, IssuerAdmin } from './auth/admins.ts'
export type { ApiKey } from './auth/api-keys.ts'
export type { Door } from './auth/doors.ts'
export type { OidcIssuer, OidcOptions } from './auth/oidc-verifier.ts'
export type { DoorOptions } from './auth-options.ts'
export { serverOptionsFromEnv } from './command/environment.ts'
export type { PageLogin } from './login/page-login.ts'
export type { PrintTarget, ServerOptions } from './options.ts'
export type { BlockState } from './scan/block-checker.ts'
export type { DecodedProcess } from './scan/catalog.ts'
export type {
  EventOrigin,
  EventQuery,
  ImageQuery,
  ImageRow,
  LogEntryRow,
  LogQuery,
  MeasureQuery,
  MeasureRow,
  PropertyFilter,
} from './scan/event-query.ts'
export type { ServerReader } from './scan/ingestion-reader.ts'
export type {
  BlockQuery,
  BlockRow,
  InventoryPage,
  ProcessQuery,
  ProcessRow,
  StreamRow,
  Volume,
} from './scan/inventory.ts'
export type { MeasureSummaries, MeasureSummary, MeasureSummaryQuery } from './scan/measure-summary.ts'
export type { Paged } from './scan/query-rules.ts'
export type { Cursor, EventOrder, EventPosition, Page } from './scan/scan.ts'
export type { SpanCursor, SpanEntry, SpanOrder, SpanPage, SpanProblem, SpanQuery } from './scan/span-query.ts'
export { type MicromegasServer, type QueryOptions, startServer } from './server.ts'
export type { ServerEvent, ServerEventListener } from './server-event.ts'
export type { QueryAudit } from './sql/engine.ts'
export type { SqlRow } from './sql/read-rows.ts'
export {
  type Place,
  SqlError,
  type SqlErrorCode,
  type SqlErrorOptions,
  type SqlStage,
} from './sql/sql-error.ts'
export type { StoredBlock } from './store/store-index.ts'
