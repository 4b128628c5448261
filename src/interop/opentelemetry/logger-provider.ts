import { type Context, context } from '@opentelemetry/api'
import { Level, parseLevel } from '../../model/level.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import { MAX_MESSAGE_CHARS } from '../../tracing/limits.ts'
import { recordLog } from '../../tracing/logs/record-log.ts'
import { eventPropertySet, type Properties } from '../../tracing/values/property-set.ts'
import { renderValue } from '../../tracing/values/render-value.ts'
import { withStack } from '../with-stack.ts'
import { BridgeProvider, type BridgeState } from './bridge-state.ts'
import { spanOf, validContextOf } from './propagation/api-context.ts'
import { describeException } from './spans/exceptions.ts'
import { countUnreadable, MicromegasSpan, spanProperties } from './spans/micromegas-span.ts'
import { targetOf } from './spans/tracer-provider.ts'

/** A log record of OpenTelemetry, whose types are not named here: the packages that have them are not needed. */
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
export class MicromegasLoggerProvider extends BridgeProvider {
  readonly #state: BridgeState

  constructor(state: BridgeState) {
    super()
    this.#state = state
  }

  getLogger(name: string): OpenTelemetryLogger {
    return new BridgeLogger(this.#state, targetOf(name))
  }
}

class BridgeLogger implements OpenTelemetryLogger {
  private readonly state: BridgeState
  private readonly target: string

  constructor(state: BridgeState, target: string) {
    this.state = state
    this.target = target
  }

  emit(record: OpenTelemetryLogRecord): void {
    countUnreadable(() => {
      const { body, eventName, exception, ...rest } = record ?? {}
      const level = levelOf(rest)
      if (!this.isRecorded(level)) return
      const hasBody = body !== undefined && body !== null
      const message = hasBody ? renderValue(body, MAX_MESSAGE_CHARS) : (eventName ?? '')
      const isThrown = exception !== undefined && exception !== null
      const description = isThrown ? describeException(exception) : undefined
      const stack = isThrown ? (description?.text ?? renderValue(exception, MAX_MESSAGE_CHARS)) : ''
      const ids = idsOf(rest.context)
      const properties: Properties = {
        ...ids, // first, so that they are there however many attributes there are
        'exception.type': description?.type,
        ...rest.attributes,
        'event.name': eventName,
        ...ids,
      }
      recordLog(
        level,
        this.target,
        isThrown ? withStack(message, stack) : message,
        eventPropertySet(properties),
      )
    })
  }

  enabled(options?: { readonly severityNumber?: number }): boolean {
    return this.isRecorded(levelOf(options ?? {}))
  }

  private isRecorded(level: Level): boolean {
    return this.state.active && level <= dispatch.filters.interopMaxLevelOf(this.target)
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
  return (typeof severityText === 'string' ? parseLevel(severityText) : undefined) || Level.Info
}

/** The ids of the span that a record belongs to. */
function idsOf(given: Context | null | undefined): Properties | undefined {
  const span = spanOf(given ?? context.active())
  const spanContext = validContextOf(span)
  if (spanContext === undefined) return undefined
  return spanProperties(spanContext, span instanceof MicromegasSpan ? span.open : undefined)
}
