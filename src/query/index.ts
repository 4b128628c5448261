/**
 * Asks for telemetry by SQL, over FlightSQL, and logs people in for it.
 *
 * @module micromegas/query
 */

export type { AuthProvider } from '../auth/auth-provider.ts'
export { CredentialsUnavailableError, type CredentialsUnavailableOptions } from '../auth/errors.ts'
export { LoginRequiredError } from '../auth/login/login-error.ts'
export type { DeviceCode, DeviceLoginOptions, LoginOptions } from '../auth/login/login-options.ts'
export { type LogoutOptions, logout } from '../auth/login/logout.ts'
export {
  type FromFileOptions,
  type LoadOrLoginOptions,
  type LoggedInUser,
  OidcAuthProvider,
} from '../auth/login/oidc-auth-provider.ts'
export { OidcClientCredentialsProvider } from '../auth/login/oidc-client-credentials-provider.ts'
export type {
  IdentityProviderFetch,
  IdentityProviderRequest,
  IdentityProviderResponse,
  OidcAuthMethod,
  OidcClientCredentialsOptions,
} from '../auth/oidc/oidc-options.ts'
export { Secret } from '../auth/secret.ts'
export type { Env } from '../config/process-env.ts'
export { TelemetryError, type TelemetryErrorCode } from '../model/errors.ts'
export type { Batch, Column, Row } from './arrow/batch.ts'
export { decodeJsonb, type JsonValue } from './arrow/jsonb.ts'
export type { NumericArray } from './arrow/readers/number-readers.ts'
export type { Interval } from './arrow/readers/temporal-readers.ts'
export type { DataType, Field, Schema, TimeUnit } from './arrow/schema.ts'
export type { ValueOptions } from './arrow/value-options.ts'
export type { IngestTable } from './calls/bulk-ingest.ts'
export type { BlockRow, ProcessRow, SpanRow, StreamFilter, StreamRow } from './calls/catalog.ts'
export type { IpcSource } from './calls/ipc-splitter.ts'
export type { Partition, ProgressMessage, Querier } from './calls/partitions.ts'
export type { PreparedStatement } from './calls/prepared-statement.ts'
export { type ProcessTrace, type ProcessTraceOptions, writeProcessTrace } from './calls/process-trace.ts'
export type { CallOptions, FlightSQLClientOptions, QueryOptions } from './client-options.ts'
export { FlightSQLClient } from './flight-sql-client.ts'
export {
  AuthenticationError,
  QueryError,
  type QueryErrorCode,
  type QueryErrorOptions,
} from './query-error.ts'
export type { ArrowTable } from './results/arrow-table.ts'
export type { BatchStream } from './results/batch-stream.ts'
export type { QueryResult } from './results/query-result.ts'
export { ident, rawSql, SqlFragment, type SqlValue, sql, timestamp } from './sql.ts'
export type { Time, TimeRange } from './time.ts'
