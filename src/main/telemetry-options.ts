import * as z from 'zod/mini'
import type { RequestDecoratorFactory } from '../auth/request-decorator.ts'
import type { Diagnostics } from '../config/diagnostics.ts'
import { isNothingGiven, optionProblems } from '../config/option-problems.ts'
import { isLoopback } from '../http/transport-security.ts'
import type { EventSink } from '../model/event-sink.ts'
import { Level, type LevelName, parseLevel } from '../model/level.ts'
import { once } from '../model/runtime/once.ts'
import { targetProblem } from '../tracing/target-levels.ts'
import { propertyKeyProblem, type TelemetryEnvironment } from './environment.ts'

/** A sink of the host's own. */
export interface SinkOption {
  readonly sink: EventSink
  /**
   * Least severe level of logs that the sink shows (`onLog`). Blocks are shared: sinks that take them all get the events
   * of the least severe level that any of them asked for. @defaultValue `debug`, or what the filters ask for when that is
   * more
   */
  readonly maxLevel?: LevelName | undefined
}

/** How telemetry is set up. What is not given comes from the environment, then from the default. */
export interface TelemetryOptions {
  /** Base URL of the ingestion service. @defaultValue `MICROMEGAS_TELEMETRY_URL`; unset or empty: no upload */
  readonly telemetryUrl?: string | undefined
  /** API key for the ingestion service. @defaultValue the credentials of the environment */
  readonly apiKey?: string | undefined
  /** Makes the decorator that authenticates uploads; wins over {@link apiKey} and the environment. */
  readonly decoratorFactory?: RequestDecoratorFactory | undefined
  /** Whether logs are shown on the console. @defaultValue `true` */
  readonly localSinkEnabled?: boolean | undefined
  /** Least severe level shown on the console. @defaultValue `MICROMEGAS_LOCAL_SINK_MAX_LEVEL`, or `info`; `debug` in `micromegasMain` */
  readonly localSinkMaxLevel?: LevelName | undefined
  /** Least severe level uploaded. @defaultValue `MICROMEGAS_TELEMETRY_SINK_MAX_LEVEL`, or `debug`, or what the filters ask for when that is more */
  readonly telemetrySinkMaxLevel?: LevelName | undefined
  /** Least severe level recorded. @defaultValue `MICROMEGAS_MAX_LEVEL`, or `debug` */
  readonly maxLevelOverride?: LevelName | undefined
  /**
   * The same by target. `db` stands for everything below it too (`db.pool`), `db.*` only for that, `*` for all targets; the
   * longest wins. `off` records nothing.
   * @defaultValue `MICROMEGAS_TARGET_MAX_LEVELS`, or none
   */
  readonly targetMaxLevels?: Readonly<Record<string, LevelName>> | undefined
  /** Least severe level taken over from other logging libraries. @defaultValue `trace` */
  readonly interopMaxLevel?: LevelName | undefined
  /** Whether spans are recorded. @defaultValue `MICROMEGAS_ENABLE_CPU_TRACING`, or `false` */
  readonly cpuTracing?: boolean | undefined
  /**
   * Whether spans carry properties. Turn it off for servers before 0.33: they do not read the events that have them, and lose
   * the ends of such spans.
   * @defaultValue `MICROMEGAS_SPAN_PROPERTIES`, or `true`
   */
  readonly spanProperties?: boolean | undefined
  /**
   * Whether a log within an async span has its ids as properties `span_id` and `trace_id`, while spans are recorded.
   * @defaultValue `MICROMEGAS_LOG_SPAN_IDS`, or `true`
   */
  readonly logSpanIds?: boolean | undefined
  /** Whether metrics of the Node runtime and the system are recorded. @defaultValue `MICROMEGAS_SYSTEM_METRICS`, or `true` */
  readonly systemMetrics?: boolean | undefined
  /** Whether `console.log` and its like are recorded as logs too. @defaultValue `false` */
  readonly installLogCapture?: boolean | undefined
  /**
   * Name of the program, seen beside all its events. Set it where the main script is a framework's (`next start`).
   * @defaultValue `MICROMEGAS_PROCESS_EXE`, or the path of the main script
   */
  readonly processExe?: string | undefined
  /**
   * Version of the program, the property `version` of the process.
   * @defaultValue `MICROMEGAS_PROCESS_VERSION`, or that of the package.json nearest to the main script
   */
  readonly processVersion?: string | undefined
  /** Properties of the process, seen beside all its events. They add to `MICROMEGAS_PROCESS_PROPERTIES` and win over it. */
  readonly processProperties?: Readonly<Record<string, string>> | undefined
  /** How long an event may wait in a part-filled block, in seconds, up to 86400. @defaultValue `MICROMEGAS_FLUSH_PERIOD`, or 60, or 1 where the server is on this machine */
  readonly flushPeriodSeconds?: number | undefined
  /**
   * Longest time a shutdown may take, in milliseconds, up to a day.
   * @defaultValue `MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS`, or 5000
   */
  readonly shutdownTimeoutMs?: number | undefined
  /** Refuse to send credentials over plain http, except to this machine. @defaultValue `MICROMEGAS_REQUIRE_TLS`, or `false` */
  readonly requireTls?: boolean | undefined
  /**
   * Whether what was recorded is delivered before SIGTERM, SIGINT, SIGHUP, SIGQUIT or SIGUSR2 (SIGBREAK on Windows) ends
   * the process; with `false` nothing listens to signals. Handlers of the application's own always decide themselves.
   * @defaultValue `MICROMEGAS_SIGNAL_HANDLING`, or `true`
   */
  readonly signalHandling?: boolean | undefined
  /**
   * Where the package's own messages go, such as that the server cannot be reached: `true` for the standard error stream,
   * `false` for nowhere, or a function that gets each as a line without its line end. An error at start is thrown all the
   * same. @defaultValue `MICROMEGAS_DIAGNOSTICS`, or `true`
   */
  readonly diagnostics?: Diagnostics | undefined
  /** Further sinks. */
  readonly sinks?: readonly SinkOption[] | undefined
}

/** Options and environment together, every default filled in. */
export interface TelemetryConfig {
  readonly telemetryUrl: string | undefined
  /** The option or the variable that says so, for messages. */
  readonly telemetryUrlSetting: string
  readonly apiKey: string | undefined
  readonly decoratorFactory: RequestDecoratorFactory | undefined
  readonly localSinkEnabled: boolean
  readonly localSinkMaxLevel: Level
  readonly telemetrySinkMaxLevel: Level
  readonly maxLevel: Level
  readonly targetMaxLevels: Readonly<Record<string, Level>>
  readonly interopMaxLevel: Level
  readonly cpuTracing: boolean
  readonly spanProperties: boolean
  readonly logSpanIds: boolean
  readonly systemMetrics: boolean
  readonly installLogCapture: boolean
  readonly processExe: string | undefined
  readonly processVersion: string | undefined
  readonly processProperties: Readonly<Record<string, string>>
  readonly flushPeriodMs: number
  readonly shutdownTimeoutMs: number
  readonly requireTls: boolean
  readonly signalHandling: boolean
  readonly diagnostics: Diagnostics
  readonly sinks: readonly { readonly sink: EventSink; readonly maxLevel: Level }[]
}

const DAY_MS = 86_400_000
const DEFAULT_FLUSH_PERIOD_SECONDS = 60
/** Whoever runs the server on this machine watches it. */
const LOCAL_FLUSH_PERIOD_SECONDS = 1
const FLUSH_PERIOD_EXPECTED = `expected a number of seconds above 0, up to ${DAY_MS / 1000}`
const TIMEOUT_EXPECTED = `expected a number of milliseconds from 0 to ${DAY_MS}`
const DEFAULT_SHUTDOWN_TIMEOUT_MS = 5000

const LEVEL_EXPECTED = 'expected off, fatal, error, warn, info, debug or trace'
const SINKS_EXPECTED = "expected an array such as [{ sink, maxLevel: 'debug' }]"
const SINK_EXPECTED = 'expected an object with a sink'

/** Strict: a misspelt option is an error, not a default. */
const schema = once(() => {
  const level = z
    .string(LEVEL_EXPECTED)
    .check(z.refine((value) => parseLevel(value) !== undefined, { error: LEVEL_EXPECTED }))
  const text = z.string('expected a text')
  const nonBlank = text.check(z.regex(/\S/, 'expected a text that is not blank'))
  const flag = z.boolean('expected true or false')
  const sink = z.custom<EventSink>(
    (value) =>
      typeof (value as EventSink | null)?.onStartup === 'function' &&
      typeof (value as EventSink).flush === 'function' &&
      typeof (value as EventSink).shutdown === 'function',
    { error: 'expected an EventSink' },
  )
  return z.strictObject({
    telemetryUrl: z.optional(text),
    apiKey: z.optional(text),
    decoratorFactory: z.optional(
      z.custom<RequestDecoratorFactory>((value) => typeof value === 'function', {
        error: 'expected a function',
      }),
    ),
    localSinkEnabled: z.optional(flag),
    localSinkMaxLevel: z.optional(level),
    telemetrySinkMaxLevel: z.optional(level),
    maxLevelOverride: z.optional(level),
    targetMaxLevels: z.optional(z.record(z.string(), level, 'expected an object of levels by target')),
    interopMaxLevel: z.optional(level),
    cpuTracing: z.optional(flag),
    spanProperties: z.optional(flag),
    logSpanIds: z.optional(flag),
    systemMetrics: z.optional(flag),
    installLogCapture: z.optional(flag),
    processExe: z.optional(nonBlank),
    processVersion: z.optional(nonBlank),
    processProperties: z.optional(z.record(z.string(), text, 'expected an object of texts')),
    flushPeriodSeconds: z.optional(
      z
        .number(FLUSH_PERIOD_EXPECTED)
        .check(z.gt(0, FLUSH_PERIOD_EXPECTED), z.lte(DAY_MS / 1000, FLUSH_PERIOD_EXPECTED)),
    ),
    shutdownTimeoutMs: z.optional(
      z.number(TIMEOUT_EXPECTED).check(z.gte(0, TIMEOUT_EXPECTED), z.lte(DAY_MS, TIMEOUT_EXPECTED)),
    ),
    requireTls: z.optional(flag),
    signalHandling: z.optional(flag),
    diagnostics: z.optional(
      z.custom<Diagnostics>((value) => typeof value === 'boolean' || typeof value === 'function', {
        error: 'expected true, false or a function',
      }),
    ),
    sinks: z.optional(
      z.array(z.strictObject({ sink, maxLevel: z.optional(level) }, SINK_EXPECTED), SINKS_EXPECTED),
    ),
  })
})

/** What is not the same for all who start telemetry. */
export interface OptionDefaults {
  readonly localSinkMaxLevel: Level
  /** @defaultValue `false` */
  readonly cpuTracing?: boolean | undefined
  /** @defaultValue `false` */
  readonly installLogCapture?: boolean | undefined
}

/**
 * Puts options, environment and defaults together.
 *
 * @param problems - Gets a line for each option that cannot be used, by its name and without its value.
 */
export function resolveOptions(
  options: TelemetryOptions,
  env: TelemetryEnvironment,
  defaults: OptionDefaults,
  problems: string[],
): TelemetryConfig {
  const error = isNothingGiven(options) ? undefined : schema().safeParse(options).error
  if (error !== undefined) problems.push(...optionProblems(error))
  // The usable options still count, so that what is wrong with the rest of the configuration shows in the same error.
  const unusable = new Set(error?.issues.map((issue) => issue.path[0]))
  const given: TelemetryOptions = Object.fromEntries(
    Object.entries(options).filter(([key]) => !unusable.has(key)),
  )
  for (const key of Object.keys(given.processProperties ?? {})) {
    const problem = propertyKeyProblem(key)
    if (problem !== undefined) problems.push(`processProperties: ${problem}`)
  }
  for (const target of Object.keys(given.targetMaxLevels ?? {})) {
    const problem = targetProblem(target)
    if (problem !== undefined) problems.push(`targetMaxLevels: ${problem}`)
  }
  const maxLevel = toLevel(given.maxLevelOverride) ?? env.maxLevel ?? Level.Debug
  const targetMaxLevels = toLevels(given.targetMaxLevels) ?? env.targetMaxLevels ?? {}
  const telemetryUrl = (given.telemetryUrl ?? env.telemetryUrl)?.trim() || undefined
  const defaultFlushPeriodSeconds =
    telemetryUrl !== undefined && URL.canParse(telemetryUrl) && isLoopback(new URL(telemetryUrl))
      ? LOCAL_FLUSH_PERIOD_SECONDS
      : DEFAULT_FLUSH_PERIOD_SECONDS
  const mostVerbose = Math.max(Level.Debug, maxLevel, ...Object.values(targetMaxLevels)) as Level
  return {
    telemetryUrl,
    telemetryUrlSetting: given.telemetryUrl === undefined ? 'MICROMEGAS_TELEMETRY_URL' : 'telemetryUrl',
    apiKey: given.apiKey,
    decoratorFactory: given.decoratorFactory,
    localSinkEnabled: given.localSinkEnabled ?? true,
    localSinkMaxLevel:
      toLevel(given.localSinkMaxLevel) ?? env.localSinkMaxLevel ?? defaults.localSinkMaxLevel,
    telemetrySinkMaxLevel: toLevel(given.telemetrySinkMaxLevel) ?? env.telemetrySinkMaxLevel ?? mostVerbose,
    maxLevel,
    targetMaxLevels,
    interopMaxLevel: toLevel(given.interopMaxLevel) ?? Level.Trace,
    cpuTracing: given.cpuTracing ?? env.cpuTracing ?? defaults.cpuTracing ?? false,
    spanProperties: given.spanProperties ?? env.spanProperties ?? true,
    logSpanIds: given.logSpanIds ?? env.logSpanIds ?? true,
    systemMetrics: given.systemMetrics ?? env.systemMetrics ?? true,
    installLogCapture: given.installLogCapture ?? defaults.installLogCapture ?? false,
    processExe: given.processExe?.trim() ?? env.processExe,
    processVersion: given.processVersion?.trim() ?? env.processVersion,
    processProperties: { ...env.processProperties, ...given.processProperties },
    flushPeriodMs: Math.ceil(
      (given.flushPeriodSeconds ?? env.flushPeriodSeconds ?? defaultFlushPeriodSeconds) * 1000,
    ),
    shutdownTimeoutMs: Math.ceil(
      given.shutdownTimeoutMs ?? env.shutdownTimeoutMs ?? DEFAULT_SHUTDOWN_TIMEOUT_MS,
    ),
    requireTls: given.requireTls ?? env.requireTls ?? false,
    signalHandling: given.signalHandling ?? env.signalHandling ?? true,
    diagnostics: given.diagnostics ?? env.diagnostics ?? true,
    sinks: (given.sinks ?? []).map((option) => ({
      sink: option.sink,
      maxLevel: toLevel(option.maxLevel) ?? mostVerbose,
    })),
  }
}

function toLevel(name: LevelName | undefined): Level | undefined {
  return name === undefined ? undefined : parseLevel(name)
}

function toLevels(names: Readonly<Record<string, LevelName>> | undefined): Record<string, Level> | undefined {
  if (names === undefined) return undefined
  return Object.fromEntries(
    Object.entries(names).map(([target, name]) => [target, toLevel(name) ?? Level.Off]),
  )
}
