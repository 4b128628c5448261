/**
 * OpenTelemetry's API, recorded: spans, metrics and logs of libraries that know it.
 *
 * @module micromegas/interop/opentelemetry
 */

import * as api from '@opentelemetry/api'
import { context, metrics, ProxyTracerProvider, propagation, trace } from '@opentelemetry/api'
import { TelemetryError } from '../model/errors.ts'
import { periodOf } from '../model/text/durations.ts'
import type { BridgeState } from './opentelemetry/bridge-state.ts'
import { MicromegasLoggerProvider } from './opentelemetry/logger-provider.ts'
import { MicromegasMeterProvider } from './opentelemetry/metrics/meter-provider.ts'
import { ObservableCollector } from './opentelemetry/metrics/observable-collector.ts'
import { MicromegasContextManager } from './opentelemetry/propagation/context-manager.ts'
import { DefaultPropagator } from './opentelemetry/propagation/propagator.ts'
import { MicromegasTracerProvider } from './opentelemetry/spans/tracer-provider.ts'

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
  /** Whether logs are taken over: those of `@opentelemetry/api-logs`, and of the API itself. @defaultValue `true` */
  readonly logs?: boolean | undefined
  /**
   * The object `logs` of `@opentelemetry/api-logs`. Needed only for loggers that were got from it before; those of the
   * `logs` of `@opentelemetry/api` itself, which it has from 1.10 on, are always connected.
   * @defaultValue none
   */
  readonly logsApi?: OpenTelemetryLogsApi | undefined
  /**
   * Whether traces and baggage are carried between processes by the headers `traceparent`, `tracestate` and `baggage`. A
   * propagator that is registered already stays. @defaultValue `true`
   */
  readonly propagation?: boolean | undefined
  /**
   * How often observable instruments are asked for their values, in milliseconds, from 100; above 2 147 483 647 (and with
   * `Infinity`) that often. They are asked once more when telemetry ends. @defaultValue `10_000`
   */
  readonly observablePeriodMs?: number | undefined
}

/** Where `@opentelemetry/api-logs` keeps what is registered: a function of the version of that agreement. */
const LOGS_REGISTRY = Symbol.for('io.opentelemetry.js.api.logs')
const LOGS_REGISTRY_VERSION = 1

const MIN_PERIOD_MS = 100
const DEFAULT_PERIOD_MS = 10_000

type Undo = () => void

/**
 * Makes Micromegas what OpenTelemetry's API records to: what libraries record through it, by themselves or by packages
 * like `@opentelemetry/instrumentation-http`, is seen beside the logs, metrics and spans of this SDK, and spans of both
 * kinds are each other's parents. Call it before what it is to record is loaded: meters that were got before stay
 * without effect.
 *
 * - A span becomes an async span of the target that is its tracer's name. Its exceptions become error logs, its events
 *   debug logs, a status of error that no exception tells of a warning; at its end a log of level trace, which is off by
 *   default, has its attributes, kind, links, status and final name. All of them name the span by `trace_id`, `span_id` and
 *   `async_span_id`. Times given by the caller are left out. Without CPU tracing there are no spans.
 * - Counters and histograms become metrics with every value as it comes, up-down counters with their sum.
 * - Log records become log events of the target that is their logger's name.
 *
 * @returns Unregisters all of it. Later calls do nothing.
 * @throws `TelemetryError` `ERR_TELEMETRY_CONFIG` when the API has another provider or context manager, or is of
 * another version than one that has registered something; and when an option is unknown or of another type.
 * @throws RangeError when `observablePeriodMs` is out of range.
 */
export function registerOpenTelemetryBridge(options: OpenTelemetryBridgeOptions = {}): () => void {
  checkOptions(options)
  const observablePeriodMs = periodOf(
    'register the OpenTelemetry bridge',
    'observablePeriodMs',
    options.observablePeriodMs === undefined ? DEFAULT_PERIOD_MS : options.observablePeriodMs,
    MIN_PERIOD_MS,
  )
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

function registerLogs(state: BridgeState, given: OpenTelemetryLogsApi | undefined): Undo {
  const registry = globalThis as { [LOGS_REGISTRY]?: (version: number) => unknown }
  if (registry[LOGS_REGISTRY] !== undefined) throw refusal('logger provider')
  const provider = new MicromegasLoggerProvider(state)
  const undo = registerApiLogs(provider)
  const none = new MicromegasLoggerProvider({ active: false })
  const find = (version: number): unknown => (version === LOGS_REGISTRY_VERSION ? provider : none)
  const isPackage = given !== undefined && given !== apiLogs()
  if (isPackage) given.setGlobalLoggerProvider(provider as never)
  else registry[LOGS_REGISTRY] = find
  return () => {
    undo()
    if (registry[LOGS_REGISTRY]?.(LOGS_REGISTRY_VERSION) !== provider) return
    if (isPackage) given.disable()
    else delete registry[LOGS_REGISTRY]
  }
}

/** The logs of the API itself, which it has from 1.10 on. */
function apiLogs(): ApiLogs | undefined {
  return (api as { readonly logs?: ApiLogs }).logs
}

interface ApiLogs extends OpenTelemetryLogsApi {
  getLoggerProvider(): unknown
}

function registerApiLogs(provider: MicromegasLoggerProvider): Undo {
  const logs = apiLogs()
  if (logs === undefined) return () => {}
  if (!logs.setGlobalLoggerProvider(provider as never)) throw refusal('logger provider')
  return () => {
    if (logs.getLoggerProvider() === provider) logs.disable()
  }
}

function registerPropagation(): Undo {
  const isTaken = propagation.fields().length > 0
  if (isTaken || !propagation.setGlobalPropagator(new DefaultPropagator())) return () => {}
  return () => propagation.disable()
}

const SWITCHES = ['traces', 'metrics', 'logs', 'propagation'] as const
const OPTIONS: readonly string[] = [...SWITCHES, 'logsApi', 'observablePeriodMs']

/** A misspelt option, or the text `'false'`, would leave on what is meant to be off. */
function checkOptions(options: OpenTelemetryBridgeOptions): void {
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined) throw badOption(`unknown option ${unknown}, expected ${OPTIONS.join(', ')}`)
  for (const name of SWITCHES) {
    const value: unknown = options[name]
    if (value !== undefined && typeof value !== 'boolean') throw badOption(`${name} is not true or false`)
  }
  const { logsApi } = options
  if (logsApi !== undefined && typeof logsApi?.setGlobalLoggerProvider !== 'function') {
    throw badOption('logsApi is not the object logs of @opentelemetry/api-logs')
  }
}

function badOption(problem: string): TelemetryError {
  return new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot register the OpenTelemetry bridge: ${problem}`)
}

function refusal(what: string): TelemetryError {
  return new TelemetryError(
    'ERR_TELEMETRY_CONFIG',
    `Cannot register the OpenTelemetry bridge: the API refuses the ${what}, one is registered already or its versions differ`,
  )
}
