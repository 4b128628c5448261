import { platformClock } from '../model/runtime/clock.ts'
import { parseFlag } from './flag.ts'
import { processEnv } from './process-env.ts'

/**
 * Where the package's own messages go: to the standard error stream (`true`), nowhere (`false`), or to a function. Each
 * is one line that begins with `micromegas: ` and holds no secret.
 */
export type Diagnostics = boolean | ((message: string) => void)

/** The variable that says so where no option does. */
export const DIAGNOSTICS_VARIABLE = 'MICROMEGAS_DIAGNOSTICS'

/** Shared by the ESM and the CommonJS build of this package. */
const REGISTRY_KEY = Symbol.for('micromegas.diagnostics')

interface Registry {
  route: Diagnostics | undefined
}

function registry(): Registry {
  const holder = globalThis as { [REGISTRY_KEY]?: Registry }
  holder[REGISTRY_KEY] ??= { route: undefined }
  return holder[REGISTRY_KEY]
}

/**
 * Routes what {@link tell} says from now on.
 *
 * @param route - `undefined`: as the environment says, or to the standard error stream.
 * @returns Routes it as before.
 */
export function routeDiagnostics(route: Diagnostics | undefined): () => void {
  const state = registry()
  const before = state.route
  state.route = route
  return () => {
    state.route = before
  }
}

/** Says something about telemetry itself to whoever runs the process. Never throws. */
export function tell(message: string): void {
  const route = registry().route ?? parseDiagnostics(processEnv()[DIAGNOSTICS_VARIABLE]) ?? true
  try {
    if (typeof route === 'function') route(message)
    else if (route) write(`${message}\n`)
  } catch {
    // A host whose function or stream throws has no other way to be told.
  }
}

/** The same, at most once a minute for each key: for what a program may do wrong all the time. */
export function tellSeldom(key: string, message: string): void {
  const nowMs = platformClock.now()
  if (nowMs - (toldAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < MIN_INTERVAL_MS) return
  toldAtMs.set(key, nowMs)
  tell(message)
}

const MIN_INTERVAL_MS = 60_000
const toldAtMs = new Map<string, number>()

/** What the variable says; `undefined` for what is neither `on` nor `off`, in any of their spellings. */
export function parseDiagnostics(text: string | undefined): boolean | undefined {
  const word = text?.trim().toLowerCase() ?? ''
  if (word === 'on') return true
  return word === 'off' ? false : parseFlag(word)
}

let writing = 0

/**
 * Straight to the stream: through the console it would come back as telemetry where the console is captured. A reader that
 * is gone is reported by an event, which without a listener ends the process.
 */
function write(text: string): void {
  const { stderr } = process
  if (writing++ === 0) stderr.on('error', ignore)
  stderr.write(text, () => {
    setImmediate(() => {
      if (--writing === 0) stderr.off('error', ignore)
    }).unref() // the event comes after the callback
  })
}

function ignore(): void {}
