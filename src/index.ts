/**
 * Records telemetry and delivers it: logs, metrics, spans, images, and the sinks that take them.
 *
 * @module micromegas
 */

export { type ApiKeyFileOptions, ApiKeyRequestDecorator } from './auth/api-key-request-decorator.ts'
export {
  CredentialsUnavailableError,
  type CredentialsUnavailableOptions,
  PermanentDecoratorError,
} from './auth/errors.ts'
export {
  OidcClientCredentialsDecorator,
  type OidcRuntimeOptions,
} from './auth/oidc/oidc-client-credentials-decorator.ts'
export type {
  IdentityProviderFetch,
  IdentityProviderRequest,
  IdentityProviderResponse,
  OidcAuthMethod,
  OidcClientCredentialsOptions,
} from './auth/oidc/oidc-options.ts'
export type { DecoratedRequest, RequestDecorator, RequestDecoratorFactory } from './auth/request-decorator.ts'
export { Secret } from './auth/secret.ts'
export type { Diagnostics } from './config/diagnostics.ts'
export type { Env } from './config/process-env.ts'
export { installConsoleCapture } from './interop/console-capture.ts'
export {
  type RuntimeMetrics,
  type RuntimeMetricsOptions,
  startRuntimeMetrics,
} from './interop/runtime-metrics.ts'
export { continueTrace, traceHeaders } from './interop/trace-headers.ts'
export { initTelemetry } from './main/init-telemetry.ts'
export {
  type Main,
  type MainContext,
  type MicromegasMainOptions,
  micromegasMain,
} from './main/micromegas-main.ts'
export type { TelemetryGuard, TelemetryStats } from './main/telemetry-guard.ts'
export type { SinkOption, TelemetryOptions } from './main/telemetry-options.ts'
export { TelemetryError, type TelemetryErrorCode } from './model/errors.ts'
export type {
  DeliveryCount,
  DeliveryReport,
  EventSink,
  FlushOptions,
  LogEntry,
  SealedBlock,
  StreamInfo,
  StreamKind,
} from './model/event-sink.ts'
export { Level, type LevelName } from './model/level.ts'
export type { ProcessInfo } from './model/process-info.ts'
export { CompositeEventSink, type CompositeEventSinkOptions } from './sink/composite-event-sink.ts'
export { ConsoleEventSink, type ConsoleEventSinkOptions } from './sink/console/console-event-sink.ts'
export {
  type BlocksRetryOptions,
  type DropCount,
  type DropReason,
  HttpEventSink,
  type HttpEventSinkOptions,
  type KindCount,
  type RetryOptions,
  type SinkState,
  type SinkStats,
  type SpoolStats,
} from './sink/http-event-sink.ts'
export { InMemoryEventSink, type InMemoryEventSinkOptions } from './sink/in-memory-event-sink.ts'
export type { ItemKind } from './sink/upload/priority.ts'
export type { DecodedImage } from './telemetry/decode/images.ts'
export type { DecodedLogEntry } from './telemetry/decode/log-entries.ts'
export type { DecodedMeasure } from './telemetry/decode/measures.ts'
export type { DecodedProperties } from './telemetry/decode/properties.ts'
export type { SpanPlace, SpanRow } from './telemetry/decode/span-place.ts'
export type { RecordingStats } from './tracing/dispatch.ts'
export { recordImage } from './tracing/image.ts'
export { type Logger, type LogMethod, logger } from './tracing/logs/logger.ts'
export { recordLog } from './tracing/logs/record-log.ts'
export {
  type FloatMetric,
  fmetric,
  type IntegerMetric,
  imetric,
  type MetricOptions,
} from './tracing/metric.ts'
export { type ActiveSpan, currentSpan } from './tracing/spans/open-span.ts'
export {
  type ActiveThreadSpan,
  type AsyncSpanHandle,
  type AsyncSpanOptions,
  asyncSpan,
  beginAsyncSpan,
  defineSpan,
  type SpanDefinition,
  type SpanOptions,
  type SpanRunOptions,
  span,
} from './tracing/spans/span.ts'
export {
  type AnyFunction,
  type SpanFnContext,
  type SpanFnDecorator,
  type SpanFnOptions,
  spanFn,
} from './tracing/spans/span-fn.ts'
export type { StreamStats } from './tracing/streams/event-stream.ts'
export { type Properties, type PropertySet, propertySet } from './tracing/values/property-set.ts'
export type { Member, UserDefinedType } from './transit/reflection.ts'
