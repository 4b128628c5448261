import { editDistance } from '../model/text/edit-distance.ts'
import type { Env } from './process-env.ts'

/** All variables that the packages of this product read, without `MICROMEGAS_`. */
const KNOWN = `
ADMINS ANALYTICS_ADMINS ANALYTICS_API_KEY ANALYTICS_API_KEYS ANALYTICS_API_KEYS_FILE ANALYTICS_API_KEY_FILE
ANALYTICS_OIDC_CONFIG ANALYTICS_PORT ANALYTICS_URI API_KEYS API_KEYS_FILE CLIENT_AGENT CLIENT_ENTRYPOINT DIAGNOSTICS
ENABLE_CPU_TRACING FLUSH_PERIOD INGESTION_ADMINS INGESTION_API_KEY INGESTION_API_KEYS INGESTION_API_KEYS_FILE
INGESTION_API_KEY_FILE INGESTION_DATA_DIR INGESTION_FSYNC INGESTION_HOST INGESTION_MAX_BYTES INGESTION_OIDC_CONFIG
INGESTION_PORT INSTRUMENT_CONSOLE INSTRUMENT_HTTP INSTRUMENT_NEST INSTRUMENT_OPENTELEMETRY INSTRUMENT_PINO
INSTRUMENT_WINSTON LOCAL_SINK_MAX_LEVEL LOG_SPAN_IDS MAX_LEVEL OIDC_AUDIENCE OIDC_AUTH_METHOD
OIDC_CLIENT_ASSERTION_FILE OIDC_CLIENT_ID OIDC_CLIENT_SECRET OIDC_CLIENT_SECRET_FILE OIDC_CONFIG
OIDC_ISSUER OIDC_PRIVATE_KEY_FILE OIDC_PRIVATE_KEY_ID OIDC_RESOURCE OIDC_SCOPE OIDC_TOKEN_BUFFER_SECONDS
OIDC_TOKEN_ENDPOINT PAGE_LOGIN PROCESS_EXE PROCESS_PROPERTIES PROCESS_VERSION PROFILE REQUIRE_TLS SERVER_ROLES SIGNAL_HANDLING
SPAN_PROPERTIES SYSTEM_METRICS TARGET_MAX_LEVELS TELEMETRY_HARD_QUEUE_BYTES TELEMETRY_MAX_IN_FLIGHT_REQUESTS
TELEMETRY_MAX_QUEUE_BYTES TELEMETRY_PARENT_PROCESS TELEMETRY_REQUEST_TIMEOUT_SECS TELEMETRY_SHUTDOWN_TIMEOUT_SECS
TELEMETRY_SINK_MAX_LEVEL TELEMETRY_SPOOL_DIR TELEMETRY_SPOOL_MAX_BYTES TELEMETRY_URL TOKEN_FILE`

const PREFIX = 'MICROMEGAS_'
/** Kubernetes sets these in the pods beside a Service whose name begins so. */
const OF_KUBERNETES = /_(?:SERVICE_HOST|SERVICE_PORT\w*|PORT(?:_\d+_(?:TCP|UDP)\w*)?)$/
/** Letters that may differ. */
const MAX_EDITS = 2
/** Most variables whose names are worth a word. */
const MAX_NOTES = 10

/** The names of all variables that are read. */
export function knownVariables(): string[] {
  return KNOWN.trim()
    .split(/\s+/)
    .map((name) => PREFIX + name)
}

/**
 * A line for each variable that is set and is almost one of ours: nobody reads it, so what it was to set stays as it was.
 * Variables that are like none of ours may be somebody else's.
 */
export function misspeltVariables(env: Env): string[] {
  const candidates = Object.keys(env).filter((name) => name.toUpperCase().startsWith(PREFIX))
  if (candidates.length === 0) return []
  const known = knownVariables()
  const names = new Set(known)
  return candidates
    .filter((name) => !names.has(name) && !OF_KUBERNETES.test(name))
    .flatMap((name) => {
      const meant = closest(name.toUpperCase(), known)
      return meant === undefined ? [] : [`${name} is set, and no variable of micromegas: is ${meant} meant?`]
    })
    .slice(0, MAX_NOTES)
}

function closest(name: string, known: readonly string[]): string | undefined {
  let least = MAX_EDITS + 1
  let found: string | undefined
  for (const candidate of known) {
    if (Math.abs(name.length - candidate.length) >= least) continue // it is at least so far
    const edits = editDistance(name, candidate, { swaps: true })
    if (edits >= least) continue
    least = edits
    found = candidate
  }
  return found ?? known.find((candidate) => isAWordApart(name, candidate))
}

/** Whether one has all the words of the other and one more, or the same in another order. */
function isAWordApart(a: string, b: string): boolean {
  const [few, many] = [a, b]
    .map((name) => name.slice(PREFIX.length).split('_'))
    .sort((x, y) => x.length - y.length)
  const left = [...many!]
  for (const word of few!) {
    const at = left.indexOf(word)
    if (at < 0) return false
    left.splice(at, 1)
  }
  return few!.length > 0 && left.length <= 1
}
