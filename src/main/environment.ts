import { DIAGNOSTICS_VARIABLE, parseDiagnostics } from '../config/diagnostics.ts'
import { parseFlag } from '../config/flag.ts'
import type { Env } from '../config/process-env.ts'
import { type Level, parseLevel } from '../model/level.ts'
import { targetProblem } from '../tracing/target-levels.ts'

/**
 * What the environment says of telemetry. A field is undefined where its variable is unset or blank; the defaults are
 * those of the options and sinks the fields go to. Credentials are read by the request decorators.
 */
export interface TelemetryEnvironment {
  readonly telemetryUrl: string | undefined
  readonly maxQueueBytes: number | undefined
  readonly hardQueueBytes: number | undefined
  readonly maxInFlightRequests: number | undefined
  readonly requestTimeoutMs: number | undefined
  readonly spoolDir: string | undefined
  readonly spoolMaxBytes: number | undefined
  readonly shutdownTimeoutMs: number | undefined
  readonly flushPeriodSeconds: number | undefined
  readonly maxLevel: Level | undefined
  readonly localSinkMaxLevel: Level | undefined
  readonly telemetrySinkMaxLevel: Level | undefined
  readonly targetMaxLevels: Readonly<Record<string, Level>> | undefined
  readonly cpuTracing: boolean | undefined
  readonly spanProperties: boolean | undefined
  readonly logSpanIds: boolean | undefined
  readonly systemMetrics: boolean | undefined
  /** Of `micromegas/register`: whether HTTP is instrumented. */
  readonly instrumentConsole: boolean | undefined
  readonly instrumentHttp: boolean | undefined
  /** Of `micromegas/register`: whether OpenTelemetry is taken over where it is installed. */
  readonly instrumentNest: boolean | undefined
  readonly instrumentOpenTelemetry: boolean | undefined
  readonly instrumentPino: boolean | undefined
  readonly instrumentWinston: boolean | undefined
  readonly requireTls: boolean | undefined
  readonly processExe: string | undefined
  readonly processVersion: string | undefined
  readonly signalHandling: boolean | undefined
  readonly diagnostics: boolean | undefined
  readonly processProperties: Readonly<Record<string, string>> | undefined
  readonly parentProcessId: string | undefined
}

/** Longest time a variable may name: setTimeout takes no more than 24.8 days, and a day is enough for all of them. */
const MAX_SECONDS = 86_400
/** Server-side prefix: properties under it are stripped without a word, so a producer must not use it. */
const RESERVED_PREFIX = 'micromegas.'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
export const PARENT_PROCESS_VARIABLE = 'MICROMEGAS_TELEMETRY_PARENT_PROCESS'

/** What is wrong with a variable's text. Thrown by its reader. */
class Unreadable extends Error {}

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value) || Number(value) < 1) throw new Unreadable('expected a whole number from 1')
  return Number(value)
}

function seconds(value: string): number {
  const number = Number(value)
  if (!/^\d+(\.\d+)?$/.test(value) || number <= 0 || number > MAX_SECONDS) {
    throw new Unreadable(`expected a number of seconds above 0, up to ${MAX_SECONDS}`)
  }
  return number
}

function asGiven(value: string): string {
  return value
}

function diagnostics(value: string): boolean {
  const parsed = parseDiagnostics(value)
  if (parsed === undefined) throw new Unreadable('expected on or off')
  return parsed
}

function flag(value: string): boolean {
  const parsed = parseFlag(value)
  if (parsed === undefined) throw new Unreadable('expected true or false')
  return parsed
}

function level(value: string): Level {
  const parsed = parseLevel(value)
  if (parsed === undefined) throw new Unreadable(LEVEL_EXPECTED)
  return parsed
}

const LEVEL_EXPECTED = 'expected off, fatal, error, warn, info, debug or trace'

function targetLevels(value: string): Record<string, Level> {
  const levels: Record<string, Level> = Object.create(null)
  for (const [target, name] of splitPairs(value)) {
    const problem = targetProblem(target)
    if (problem !== undefined) throw new Unreadable(problem)
    const parsed = parseLevel(name)
    if (parsed === undefined) throw new Unreadable(`level of target '${target}': ${LEVEL_EXPECTED}`)
    levels[target] = parsed
  }
  return levels
}

function properties(value: string): Record<string, string> {
  const entries: Record<string, string> = Object.create(null)
  for (const [key, entry] of splitPairs(value)) {
    const problem = propertyKeyProblem(key)
    if (problem !== undefined) throw new Unreadable(problem)
    if (!(key in entries)) entries[key] = entry // the first of a repeated key wins, as in the reference SDK
  }
  return entries
}

/** Splits `a=1,b=2`; blank entries are skipped, values may be empty. Entries are not repeated in errors: they may hold secrets. */
function splitPairs(value: string): [key: string, value: string][] {
  const pairs: [string, string][] = []
  const entries = value.split(',')
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!.trim()
    if (entry === '') continue
    const equals = entry.indexOf('=')
    if (equals < 0) throw new Unreadable(`entry ${i + 1} has no '='`)
    const key = entry.slice(0, equals).trim()
    if (key === '') throw new Unreadable(`entry ${i + 1} has an empty key`)
    pairs.push([key, entry.slice(equals + 1).trim()])
  }
  return pairs
}

/** What is wrong with the key of a process property, if anything. */
export function propertyKeyProblem(key: string): string | undefined {
  if (key === '') return 'a property has an empty key'
  if (key.startsWith(RESERVED_PREFIX)) return `the prefix of property '${key}' is reserved for the server`
  return undefined
}

/** Each variable beside the field it fills. */
const READERS = {
  MICROMEGAS_TELEMETRY_URL: asGiven,
  MICROMEGAS_TELEMETRY_MAX_QUEUE_BYTES: wholeNumber,
  MICROMEGAS_TELEMETRY_HARD_QUEUE_BYTES: wholeNumber,
  MICROMEGAS_TELEMETRY_MAX_IN_FLIGHT_REQUESTS: wholeNumber,
  MICROMEGAS_TELEMETRY_REQUEST_TIMEOUT_SECS: seconds,
  MICROMEGAS_TELEMETRY_SPOOL_DIR: asGiven,
  MICROMEGAS_TELEMETRY_SPOOL_MAX_BYTES: wholeNumber,
  MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS: seconds,
  MICROMEGAS_FLUSH_PERIOD: seconds,
  MICROMEGAS_MAX_LEVEL: level,
  MICROMEGAS_LOCAL_SINK_MAX_LEVEL: level,
  MICROMEGAS_TELEMETRY_SINK_MAX_LEVEL: level,
  MICROMEGAS_TARGET_MAX_LEVELS: targetLevels,
  MICROMEGAS_ENABLE_CPU_TRACING: flag,
  MICROMEGAS_SPAN_PROPERTIES: flag,
  MICROMEGAS_LOG_SPAN_IDS: flag,
  MICROMEGAS_SYSTEM_METRICS: flag,
  MICROMEGAS_INSTRUMENT_CONSOLE: flag,
  MICROMEGAS_INSTRUMENT_HTTP: flag,
  MICROMEGAS_INSTRUMENT_NEST: flag,
  MICROMEGAS_INSTRUMENT_OPENTELEMETRY: flag,
  MICROMEGAS_INSTRUMENT_PINO: flag,
  MICROMEGAS_INSTRUMENT_WINSTON: flag,
  MICROMEGAS_REQUIRE_TLS: flag,
  MICROMEGAS_PROCESS_EXE: asGiven,
  MICROMEGAS_PROCESS_VERSION: asGiven,
  MICROMEGAS_SIGNAL_HANDLING: flag,
  [DIAGNOSTICS_VARIABLE]: diagnostics,
  MICROMEGAS_PROCESS_PROPERTIES: properties,
  // Set by whatever started this process: what is no UUID is ignored, as the reference SDK does.
  [PARENT_PROCESS_VARIABLE]: (value: string) => (UUID.test(value) ? value.toLowerCase() : undefined),
} as const

type Values = { -readonly [Name in keyof typeof READERS]?: ReturnType<(typeof READERS)[Name]> }

/**
 * Reads the environment: the one place where variables of this package are interpreted, except for credentials.
 *
 * @param problems - Gets a line for each variable that is set but cannot be read, by its name.
 */
export function readEnvironment(problems: string[], env: Env = process.env): TelemetryEnvironment {
  const values = readVariables(env, problems)
  return {
    telemetryUrl: values.MICROMEGAS_TELEMETRY_URL,
    maxQueueBytes: values.MICROMEGAS_TELEMETRY_MAX_QUEUE_BYTES,
    hardQueueBytes: values.MICROMEGAS_TELEMETRY_HARD_QUEUE_BYTES,
    maxInFlightRequests: values.MICROMEGAS_TELEMETRY_MAX_IN_FLIGHT_REQUESTS,
    requestTimeoutMs: toMs(values.MICROMEGAS_TELEMETRY_REQUEST_TIMEOUT_SECS),
    spoolDir: values.MICROMEGAS_TELEMETRY_SPOOL_DIR,
    spoolMaxBytes: values.MICROMEGAS_TELEMETRY_SPOOL_MAX_BYTES,
    shutdownTimeoutMs: toMs(values.MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS),
    flushPeriodSeconds: values.MICROMEGAS_FLUSH_PERIOD,
    maxLevel: values.MICROMEGAS_MAX_LEVEL,
    localSinkMaxLevel: values.MICROMEGAS_LOCAL_SINK_MAX_LEVEL,
    telemetrySinkMaxLevel: values.MICROMEGAS_TELEMETRY_SINK_MAX_LEVEL,
    targetMaxLevels: values.MICROMEGAS_TARGET_MAX_LEVELS,
    cpuTracing: values.MICROMEGAS_ENABLE_CPU_TRACING,
    spanProperties: values.MICROMEGAS_SPAN_PROPERTIES,
    logSpanIds: values.MICROMEGAS_LOG_SPAN_IDS,
    systemMetrics: values.MICROMEGAS_SYSTEM_METRICS,
    instrumentConsole: values.MICROMEGAS_INSTRUMENT_CONSOLE,
    instrumentHttp: values.MICROMEGAS_INSTRUMENT_HTTP,
    instrumentNest: values.MICROMEGAS_INSTRUMENT_NEST,
    instrumentOpenTelemetry: values.MICROMEGAS_INSTRUMENT_OPENTELEMETRY,
    instrumentPino: values.MICROMEGAS_INSTRUMENT_PINO,
    instrumentWinston: values.MICROMEGAS_INSTRUMENT_WINSTON,
    requireTls: values.MICROMEGAS_REQUIRE_TLS,
    processExe: values.MICROMEGAS_PROCESS_EXE,
    processVersion: values.MICROMEGAS_PROCESS_VERSION,
    signalHandling: values.MICROMEGAS_SIGNAL_HANDLING,
    diagnostics: values[DIAGNOSTICS_VARIABLE],
    processProperties: values.MICROMEGAS_PROCESS_PROPERTIES,
    parentProcessId: values[PARENT_PROCESS_VARIABLE],
  }
}

/** Each variable is read by itself: one that cannot be read does not hide what is wrong with the others. */
function readVariables(env: Env, problems: string[]): Values {
  const values: Record<string, unknown> = {}
  for (const [name, read] of Object.entries(READERS)) {
    const text = env[name]?.trim()
    if (!text) continue // blank counts as unset: deployment templates render missing values so
    try {
      values[name] = read(text)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      problems.push(`${name}: ${error.message}`)
    }
  }
  return values
}

function toMs(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.ceil(value * 1000)
}
