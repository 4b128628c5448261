import { type Context, context, isSpanContextValid, trace } from '@opentelemetry/api'
import { Level, parseLevel } from '../../model/level.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import { MAX_MESSAGE_CHARS } from '../../tracing/log-stream.ts'
import { toName } from '../../tracing/metric.ts'
import { eventPropertySet, type Properties } from '../../tracing/property-set.ts'
import { recordLog } from '../../tracing/record-log.ts'
import { renderValue } from '../../tracing/render-value.ts'
import { withStack } from '../with-stack.ts'
import { MicromegasSpan, spanProperties } from './bridge-span.ts'
import type { BridgeState } from './bridge-state.ts'
import { DEFAULT_TARGET } from './tracer-provider.ts'

/** A log record of `@opentelemetry/api-logs`, whose types are not named here: the package is not needed. */
export interface OpenTelemetryLogRecord {
  readonly eventName?: string
  readonly severityNumber?: number
  readonly severityText?: string
  readonly body?: unknown
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly exception?: unknown
  readonly context?: Context
}

/** A logger of the same. */
export interface OpenTelemetryLogger {
  emit(record: OpenTelemetryLogRecord): void
  enabled(options?: { readonly severityNumber?: number }): boolean
}

/** Makes log events of the records of OpenTelemetry's logs API. */
export class MicromegasLoggerProvider {
  readonly #state: BridgeState

  constructor(state: BridgeState) {
    this.#state = state
  }

  getLogger(name: string): OpenTelemetryLogger {
    return new BridgeLogger(this.#state, toName(name || DEFAULT_TARGET))
  }
}

class BridgeLogger implements OpenTelemetryLogger {
  readonly #state: BridgeState
  readonly #target: string

  constructor(state: BridgeState, target: string) {
    this.#state = state
    this.#target = target
  }

  emit(record: OpenTelemetryLogRecord): void {
    const level = levelOf(record)
    if (!this.#isRecorded(level)) return
    const { body, eventName, exception } = record
    let message =
      body === undefined || body === null ? (eventName ?? '') : renderValue(body, MAX_MESSAGE_CHARS)
    if (exception !== undefined) message = withStack(message, renderValue(exception, MAX_MESSAGE_CHARS))
    recordLog(level, this.#target, message, eventPropertySet(propertiesOf(record)))
  }

  enabled(options?: { readonly severityNumber?: number }): boolean {
    return this.#isRecorded(levelOf(options ?? {}))
  }

  #isRecorded(level: Level): boolean {
    return this.#state.active && level <= dispatch.filters.interopMaxLevelOf(this.#target)
  }
}

/** As the ingestion service maps the severities of OTLP (protocol, section 13). */
function levelOf({ severityNumber = 0, severityText }: OpenTelemetryLogRecord): Level {
  if (severityNumber >= 21) return Level.Fatal
  if (severityNumber >= 17) return Level.Error
  if (severityNumber >= 13) return Level.Warn
  if (severityNumber >= 9) return Level.Info
  if (severityNumber >= 5) return Level.Debug
  if (severityNumber >= 1) return Level.Trace
  return (severityText === undefined ? undefined : parseLevel(severityText)) || Level.Info
}

function propertiesOf(record: OpenTelemetryLogRecord): Properties {
  const recordContext = record.context ?? context.active()
  const span = trace.getSpan(recordContext)
  const spanContext = span?.spanContext()
  const ids =
    spanContext === undefined || !isSpanContextValid(spanContext)
      ? undefined
      : spanProperties(spanContext, span instanceof MicromegasSpan ? span.open : undefined)
  return { ...record.attributes, 'event.name': record.eventName, ...ids }
}
