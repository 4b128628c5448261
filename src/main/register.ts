import { tell } from '../config/diagnostics.ts'
import { recordClientRequests } from '../interop/http/client.ts'
import { noteExpressMounts } from '../interop/http/express.ts'
import { noteKoaContexts } from '../interop/http/koa.ts'
import { recordServerRequests } from '../interop/http/server.ts'
import { builtin } from '../model/builtins.ts'
import { errorMessage } from '../model/error-message.ts'
import { isTelemetryError } from '../model/errors.ts'
import { Level } from '../model/level.ts'
import { dispatch } from '../tracing/dispatch.ts'
import { printError } from './ends/fatal.ts'
import { readEnvironment } from './environment.ts'
import { startRegistered } from './init-telemetry.ts'

const AUTO = '@opentelemetry/auto-instrumentations-node'

/**
 * What `--import micromegas/register` begins with: starts telemetry from the environment. A configuration that cannot be used
 * ends the process with exit code 1, as in `micromegasMain`; without a server's address nothing is started, which is told.
 *
 * @returns What comes next; `undefined` where nothing does.
 */
export function startRegister(): Register | undefined {
  const { telemetryUrl, instrumentHttp, instrumentOpenTelemetry } = readEnvironment([])
  if (dispatch.running) return undefined // loaded twice
  if (telemetryUrl === undefined) {
    if (isMainThread()) tell('micromegas: MICROMEGAS_TELEMETRY_URL is not set, nothing is recorded')
    return undefined
  }
  try {
    startRegistered({ localSinkMaxLevel: Level.Info, cpuTracing: true })
  } catch (error) {
    if (!isTelemetryError(error)) throw error
    printError(`micromegas: ${error.message}`)
    process.exit(1)
  }
  return new Register(instrumentHttp ?? true, instrumentOpenTelemetry ?? true)
}

/** What `micromegas/register` does once telemetry runs. */
export class Register {
  readonly #http: boolean
  readonly #openTelemetry: boolean
  readonly #parts: string[] = []

  constructor(http: boolean, openTelemetry: boolean) {
    this.#http = http
    this.#openTelemetry = openTelemetry
  }

  /** Whether the program has OpenTelemetry's API installed, and it is to be taken over. */
  get findsOpenTelemetry(): boolean {
    return this.#openTelemetry && resolveFromProgram('@opentelemetry/api') !== undefined
  }

  /**
   * Registers the bridge, and enables the auto-instrumentations that are installed.
   *
   * @param registerBridge - `registerOpenTelemetryBridge`, loaded as the package's format loads it.
   * @throws whatever the API or its instrumentations throw.
   */
  takeOpenTelemetry(registerBridge: () => unknown): void {
    registerBridge()
    this.#parts.push('OpenTelemetry')
    const found = resolveFromProgram(AUTO)
    if (found === undefined) return
    const { createRequire, register } = builtin('node:module')
    const load = createRequire(found)
    register('@opentelemetry/instrumentation/hook.mjs', builtin('node:url').pathToFileURL(found))
    const instrumentations = [load(found).getNodeAutoInstrumentations()]
    load('@opentelemetry/instrumentation').registerInstrumentations({ instrumentations })
    this.#parts.push('its auto-instrumentations')
  }

  cannotTakeOpenTelemetry(error: unknown): void {
    tell(`micromegas: OpenTelemetry is installed and not all of it is recorded: ${errorMessage(error)}`)
  }

  /** Instruments HTTP, unless OpenTelemetry's instrumentations do, and says what is recorded. */
  finish(): void {
    if (this.#http && !this.#parts.includes('its auto-instrumentations')) {
      recordServerRequests()
      recordClientRequests()
      noteKoaContexts()
      noteExpressMounts()
      this.#parts.unshift('HTTP servers and clients')
    }
    const spans = dispatch.cpu.enabled ? 'spans' : 'no spans (MICROMEGAS_ENABLE_CPU_TRACING is false)'
    if (isMainThread()) tell(`micromegas: recording ${[...this.#parts, spans].join(', ')}`)
  }
}

/** Where the program finds a package: beside its main script, or the working directory. */
function resolveFromProgram(name: string): string | undefined {
  const { createRequire } = builtin('node:module')
  for (const place of [process.argv[1], `${process.cwd()}/index.js`]) {
    if (place === undefined || (!place.startsWith('/') && !/^[a-z]:/i.test(place))) continue
    try {
      return createRequire(place).resolve(name)
    } catch {
      // not installed there
    }
  }
  return undefined
}

function isMainThread(): boolean {
  return builtin('node:worker_threads').isMainThread
}
