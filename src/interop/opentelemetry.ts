import { context, metrics, ProxyTracerProvider, propagation, trace } from '@opentelemetry/api'
import { TelemetryError } from '../model/errors.ts'
import type { BridgeState } from './opentelemetry/bridge-state.ts'
import { MicromegasContextManager } from './opentelemetry/context-manager.ts'
import { MicromegasLoggerProvider } from './opentelemetry/logger-provider.ts'
import { MicromegasMeterProvider } from './opentelemetry/meter-provider.ts'
import { ObservableCollector } from './opentelemetry/observable-collector.ts'
import { TraceContextPropagator } from './opentelemetry/trace-context-propagator.ts'
import { MicromegasTracerProvider } from './opentelemetry/tracer-provider.ts'

/** The object `logs` of `@opentelemetry/api-logs`, as far as it is used here. */
export interface OpenTelemetryLogsApi {
  /** Takes a type of that package, which need not be installed. */
  setGlobalLoggerProvider(provider: never): unknown
  disable(): void
}

export interface OpenTelemetryBridgeOptions {
  /** Whether spans are taken over. @defaultValue `true` */
  readonly traces?: boolean | undefined
  /** Whether metrics are taken over. @defaultValue `true` */
  readonly metrics?: boolean | undefined
  /** Whether the logs of `@opentelemetry/api-logs` are taken over. @defaultValue `true` */
  readonly logs?: boolean | undefined
  /**
   * The object `logs` of `@opentelemetry/api-logs`. Needed only for loggers that were got from it before.
   * @defaultValue none
   */
  readonly logsApi?: OpenTelemetryLogsApi | undefined
  /**
   * Whether traces are carried between processes by the headers `traceparent` and `tracestate`. A propagator that is
   * registered already stays. @defaultValue `true`
   */
  readonly propagation?: boolean | undefined
  /** How often observable instruments are asked for their values, in milliseconds, from 100. @defaultValue `10_000` */
  readonly observablePeriodMs?: number | undefined
}

/** Where `@opentelemetry/api-logs` keeps what is registered: a function of the version of that agreement. */
const LOGS_REGISTRY = Symbol.for('io.opentelemetry.js.api.logs')
const LOGS_REGISTRY_VERSION = 1

type Undo = () => void

/**
 * Makes Micromegas what OpenTelemetry's API records to: what libraries record through it, by themselves or by packages
 * like `@opentelemetry/instrumentation-http`, is seen beside the logs, metrics and spans of this SDK, and spans of both
 * kinds are each other's parents. Call it before what it is to record is loaded: meters that were got before stay
 * without effect.
 *
 * - A span becomes an async span of the target that is its tracer's name. Its exceptions become error logs, its events
 *   debug logs, a status of error without an exception a warning; at its end a log of level trace, which is off by
 *   default, has its attributes, kind, links and final name. All of them name the span by `trace_id`, `span_id` and
 *   `async_span_id`. Times given by the caller are left out. Without CPU tracing there are no spans.
 * - Counters and histograms become metrics with every value as it comes, up-down counters with their sum.
 * - Log records become log events of the target that is their logger's name.
 *
 * @returns Unregisters all of it. Later calls do nothing.
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the API has another provider or context manager, or is of
 * another version than one that has registered something.
 * @throws RangeError when `observablePeriodMs` is out of range.
 */
export function registerOpenTelemetryBridge(options: OpenTelemetryBridgeOptions = {}): () => void {
  const { observablePeriodMs = 10_000 } = options
  if (!(observablePeriodMs >= 100)) {
    throw new RangeError(
      `Cannot register the OpenTelemetry bridge: observablePeriodMs is ${observablePeriodMs}, expected 100 or more`,
    )
  }
  const state: BridgeState = { active: true }
  const undos: Undo[] = []
  const unregister = (): void => {
    for (const undo of undos.splice(0).reverse()) undo()
    state.active = false
  }
  try {
    if (options.traces ?? true) {
      undos.push(registerContext())
      undos.push(registerTraces(state))
    }
    if (options.metrics ?? true) undos.push(registerMetrics(state, observablePeriodMs))
    if (options.logs ?? true) undos.push(registerLogs(state, options.logsApi))
    if (options.propagation ?? true) undos.push(registerPropagation())
  } catch (error) {
    unregister()
    throw error
  }
  return unregister
}

function registerContext(): Undo {
  const manager = new MicromegasContextManager()
  if (!context.setGlobalContextManager(manager)) throw refusal('context manager')
  return () => {
    if (manager.enabled) context.disable() // else the API has been told to, and may have another one by now
  }
}

function registerTraces(state: BridgeState): Undo {
  const provider = new MicromegasTracerProvider(state)
  if (!trace.setGlobalTracerProvider(provider)) throw refusal('tracer provider')
  return () => {
    const current = trace.getTracerProvider()
    if (current instanceof ProxyTracerProvider && current.getDelegate() === provider) trace.disable()
  }
}

function registerMetrics(state: BridgeState, observablePeriodMs: number): Undo {
  const collector = new ObservableCollector(observablePeriodMs)
  const provider = new MicromegasMeterProvider(state, collector)
  if (!metrics.setGlobalMeterProvider(provider)) throw refusal('meter provider')
  return () => {
    collector.stop()
    if (metrics.getMeterProvider() === provider) metrics.disable()
  }
}

function registerLogs(state: BridgeState, api: OpenTelemetryLogsApi | undefined): Undo {
  const registry = globalThis as { [LOGS_REGISTRY]?: (version: number) => unknown }
  if (registry[LOGS_REGISTRY] !== undefined) throw refusal('logger provider')
  const provider = new MicromegasLoggerProvider(state)
  const none = new MicromegasLoggerProvider({ active: false })
  const find = (version: number): unknown => (version === LOGS_REGISTRY_VERSION ? provider : none)
  if (api === undefined) registry[LOGS_REGISTRY] = find
  else api.setGlobalLoggerProvider(provider as never)
  return () => {
    if (registry[LOGS_REGISTRY]?.(LOGS_REGISTRY_VERSION) !== provider) return
    if (api === undefined) delete registry[LOGS_REGISTRY]
    else api.disable()
  }
}

function registerPropagation(): Undo {
  const isTaken = propagation.fields().length > 0
  if (isTaken || !propagation.setGlobalPropagator(new TraceContextPropagator())) return () => {}
  return () => propagation.disable()
}

function refusal(what: string): TelemetryError {
  return new TelemetryError(
    'ERR_TELEMETRY_CONFIG',
    `Cannot register the OpenTelemetry bridge: the API refuses the ${what}, one is registered already or its versions differ`,
  )
}
