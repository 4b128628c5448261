import { routeDiagnostics, tell, tellSeldom } from '../config/diagnostics.ts'
import { misspeltVariables } from '../config/misspelt-variables.ts'
import { processEnv } from '../config/process-env.ts'
import { resolveEndpoint } from '../http/endpoint.ts'
import { assertTransportSecurity } from '../http/transport-security.ts'
import { installConsoleCapture } from '../interop/console-capture.ts'
import { isTelemetryError, TelemetryError } from '../model/errors.ts'
import { Level } from '../model/level.ts'
import { errorMessage } from '../model/text/error-message.ts'
import { ConsoleEventSink } from '../sink/console/console-event-sink.ts'
import { HttpEventSink, type HttpEventSinkOptions, isHttpEventSink } from '../sink/http-event-sink.ts'
import { dispatch, type SinkRegistration } from '../tracing/dispatch.ts'
import { resolveCredentials } from './decorator-from-environment.ts'
import { Account } from './ends/account.ts'
import { DefaultSignals } from './ends/default-signals.ts'
import { reportDrops } from './ends/drop-report.ts'
import { installExitFlush } from './ends/exit-flush.ts'
import { LateEvents } from './ends/late-events.ts'
import { reportOverflows } from './ends/overflow-report.ts'
import { readEnvironment, type TelemetryEnvironment } from './environment.ts'
import { LaterMetrics } from './later-metrics.ts'
import { resolveProcess } from './lineage.ts'
import { TelemetryGuard } from './telemetry-guard.ts'
import {
  type OptionDefaults,
  resolveOptions,
  type TelemetryConfig,
  type TelemetryOptions,
} from './telemetry-options.ts'

const lateEvents = new LateEvents(dispatch)

/** Running telemetry, with what its caller has to see to. */
export interface Started {
  readonly guard: TelemetryGuard
  /** What the option `signalHandling` came to. */
  readonly handlesSignals: boolean
  /** Called when everything is closed. */
  onStopped: () => void
}

/**
 * Starts telemetry for this process, or for this worker thread: sinks, filters, flushing, and delivery on every way out.
 * What was recorded before is delivered too.
 *
 * The ways out are an event loop that runs dry, `process.exit()`, an uncaught exception, and SIGTERM, SIGINT, SIGHUP,
 * SIGQUIT and SIGUSR2 (SIGBREAK on Windows) where the application does not listen to them. The process ends as it would
 * have without telemetry, by the same exit code or signal.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` that lists everything wrong with options and environment, or when
 * telemetry is running already.
 * @example
 * ```ts
 * await using telemetry = initTelemetry({ telemetryUrl: 'http://localhost:9000' })
 * ```
 */
export function initTelemetry(options: TelemetryOptions = {}): TelemetryGuard {
  return endBySignals(startTelemetry(options, { localSinkMaxLevel: Level.Info })).guard
}

/** Delivers where a signal ends the process that the application does not handle. */
function endBySignals(started: Started): Started {
  if (started.handlesSignals) {
    const signals = new DefaultSignals(started.guard)
    started.onStopped = () => signals.stop()
  }
  return started
}

/** Where the copies of this package find what `micromegas/register` has started. */
const REGISTERED_KEY = Symbol.for('micromegas.registered')
const registry = globalThis as { [REGISTERED_KEY]?: Started | undefined }

/**
 * {@link initTelemetry} for `micromegas/register`: the first `initTelemetry` or `micromegasMain` of the program takes over what
 * runs.
 */
export function startRegistered(defaults: OptionDefaults): void {
  registry[REGISTERED_KEY] = endBySignals(startTelemetry({}, defaults))
}

function takeRegistered(options: TelemetryOptions): Started | undefined {
  const registered = registry[REGISTERED_KEY]
  if (registered === undefined) return undefined
  registry[REGISTERED_KEY] = undefined
  registered.onStopped() // signals are for whoever takes it over
  registered.onStopped = () => {}
  const names = Object.keys(options ?? {})
  if (names.length > 0) {
    tell(
      `micromegas: telemetry was started by micromegas/register, these options are not used: ${names.join(', ')}`,
    )
  }
  return registered
}

/** {@link initTelemetry} with the defaults of its caller. */
export function startTelemetry(options: TelemetryOptions, defaults: OptionDefaults): Started {
  if (dispatch.running) {
    const registered = takeRegistered(options)
    if (registered !== undefined) return registered
    throw new TelemetryError('ERR_TELEMETRY_CONFIG', 'Cannot start telemetry: it is running already')
  }
  const problems: string[] = []
  const env = readEnvironment(problems)
  const config = resolveOptions(options, env, defaults, problems)
  const routeBack = routeDiagnostics(config.diagnostics)
  const httpSink = makeHttpSink(config, env, problems)
  if (problems.length > 0) {
    routeBack()
    const list = problems.map((problem) => `\n  - ${problem}`).join('')
    throw new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot start telemetry:${list}`)
  }
  for (const note of misspeltVariables(processEnv())) tell(`micromegas: ${note}`)
  return start(config, env, httpSink)
}

function start(
  config: TelemetryConfig,
  env: TelemetryEnvironment,
  httpSink: HttpEventSink | undefined,
): Started {
  const process_ = resolveProcess(dispatch.recordingSince, env.parentProcessId, config)
  const sinks: SinkRegistration[] = [...config.sinks]
  if (config.localSinkEnabled)
    sinks.push({ sink: new ConsoleEventSink(), maxLevel: config.localSinkMaxLevel })
  if (httpSink !== undefined) sinks.push({ sink: httpSink, maxLevel: config.telemetrySinkMaxLevel })
  // Also those that were wired by hand.
  const httpSinks = sinks.map(({ sink }) => sink).filter(isHttpEventSink)
  const uploads =
    httpSink === undefined ? httpSinks : [httpSink, ...httpSinks.filter((sink) => sink !== httpSink)]
  lateEvents.close()
  const account = new Account(dispatch, uploads)
  dispatch.start({
    process: process_,
    sinks,
    filters: config,
    cpuTracing: config.cpuTracing,
    spanProperties: config.spanProperties,
    logSpanIds: config.logSpanIds,
    flushPeriodMs: config.flushPeriodMs,
    onFlushTick: () => {
      reportDrops(httpSinks)
      reportOverflows()
    },
    onSinkError: (error) => tellSeldom('sink', `micromegas: a sink failed: ${errorMessage(error)}`),
    onLateEvent: lateEvents.onFirst,
  })
  const metrics = config.systemMetrics && dispatch.takesBlocks ? new LaterMetrics() : undefined
  const releaseConsole = config.installLogCapture ? installConsoleCapture() : undefined
  const guard: TelemetryGuard = new TelemetryGuard({
    dispatch,
    processId: process_.processId,
    httpSink: uploads[0],
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    recordLast: () => {
      metrics?.sample()
      dispatch.recordLast()
      reportOverflows()
      account.record()
    },
    onShutdown: () => {
      metrics?.stop({ sample: false })
      releaseConsole?.()
    },
    onStopped: () => {
      removeExitFlush()
      started.onStopped()
    },
  })
  const removeExitFlush = installExitFlush(guard)
  const started: Started = { guard, handlesSignals: config.signalHandling, onStopped: () => {} }
  return started
}

function makeHttpSink(
  config: TelemetryConfig,
  env: TelemetryEnvironment,
  problems: string[],
): HttpEventSink | undefined {
  const { telemetryUrl, telemetryUrlSetting } = config
  if (telemetryUrl === undefined) {
    if (config.sinks.length === 0)
      tell(`micromegas: ${telemetryUrlSetting} is not set, telemetry is not uploaded`)
    return undefined
  }
  const endpoint = collect(problems, `${telemetryUrlSetting}: `, () => resolveEndpoint(telemetryUrl))
  const factory = collect(problems, '', () => resolveCredentials(config, problems))
  if (endpoint === undefined || problems.length > 0) return undefined
  if (factory === undefined) {
    tell(
      `micromegas: no API key and no OIDC client is configured, uploading to ${endpoint.label} without authentication`,
    )
  } else {
    collect(problems, `${telemetryUrlSetting}: `, () =>
      assertTransportSecurity(endpoint.insertUrls.block, {
        requireTls: config.requireTls,
        warn: tell,
      }),
    )
  }
  if (problems.length > 0) return undefined
  return collect(problems, '', () => new HttpEventSink(telemetryUrl, sinkOptions(env), factory))
}

function sinkOptions(env: TelemetryEnvironment): HttpEventSinkOptions {
  const options: HttpEventSinkOptions = {
    maxQueueBytes: env.maxQueueBytes,
    hardQueueBytes: env.hardQueueBytes,
    maxInFlightRequests: env.maxInFlightRequests,
    requestTimeoutMs: env.requestTimeoutMs,
    spoolDir: env.spoolDir,
    spoolMaxBytes: env.spoolMaxBytes,
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** Runs one part of the configuration; what it finds wrong joins the problems of the others. */
function collect<T>(problems: string[], prefix: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!isTelemetryError(error, 'ERR_TELEMETRY_CONFIG')) throw error
    problems.push(prefix + error.message)
    return undefined
  }
}
