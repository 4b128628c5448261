import { tell } from '../config/diagnostics.ts'
import { recordClientRequests } from '../interop/http/client.ts'
import { noteExpressMounts } from '../interop/http/express.ts'
import { noteHonoContexts } from '../interop/http/hono.ts'
import { noteKoaContexts } from '../interop/http/koa.ts'
import { recordServerRequests } from '../interop/http/server.ts'
import { recordNestLoggers } from '../interop/nest-loggers.ts'
import { recordPinoLoggers } from '../interop/pino/loggers.ts'
import { recordWinstonLoggers } from '../interop/winston/loggers.ts'
import { isTelemetryError } from '../model/errors.ts'
import { Level } from '../model/level.ts'
import { builtin } from '../model/runtime/builtins.ts'
import { errorMessage } from '../model/text/error-message.ts'
import { dispatch } from '../tracing/dispatch.ts'
import { printError } from './ends/fatal.ts'
import { readEnvironment, type TelemetryEnvironment } from './environment.ts'
import { startRegistered } from './init-telemetry.ts'
import { enableInstrumentations, resolveFromProgram } from './instrumentations.ts'

/** The entry `micromegas/interop/opentelemetry`, of which this is used. */
export type Bridge = Pick<typeof import('../interop/opentelemetry.ts'), 'registerOpenTelemetryBridge'>

/**
 * All that `--import micromegas/register` does.
 *
 * @param loadBridge - Loads the bridge; called where the program has OpenTelemetry's API.
 */
export function register(loadBridge: () => Bridge): void {
  const started = startRegister()
  if (started?.findsOpenTelemetry) {
    try {
      started.takeOpenTelemetry(loadBridge().registerOpenTelemetryBridge)
    } catch (error) {
      started.cannotTakeOpenTelemetry(error)
    }
  }
  started?.finish()
}

/**
 * What `--import micromegas/register` begins with: starts telemetry from the environment. A configuration that cannot be used
 * ends the process with exit code 1, as in `micromegasMain`; without a server's address nothing is started, which is told.
 *
 * @returns What comes next; `undefined` where nothing does.
 */
export function startRegister(): Register | undefined {
  const env = readEnvironment([])
  if (dispatch.running) return undefined // loaded twice
  if (env.telemetryUrl === undefined) {
    if (isMainThread()) tell('micromegas: MICROMEGAS_TELEMETRY_URL is not set, nothing is recorded')
    return undefined
  }
  try {
    startRegistered({
      localSinkMaxLevel: Level.Info,
      cpuTracing: true,
      installLogCapture: env.instrumentConsole ?? true,
    })
  } catch (error) {
    if (!isTelemetryError(error)) throw error
    printError(`micromegas: ${error.message}`)
    process.exit(1)
  }
  return new Register(env)
}

/** What `micromegas/register` does once telemetry runs. */
export class Register {
  readonly #env: TelemetryEnvironment
  /** What the start says, in this order. */
  readonly #shown: string[] = []
  /** What OpenTelemetry's instrumentations record. */
  #recorded: ReadonlySet<string> = new Set()

  constructor(env: TelemetryEnvironment) {
    this.#env = env
  }

  /** Whether the program has OpenTelemetry's API installed, and it is to be taken over. */
  get findsOpenTelemetry(): boolean {
    const { instrumentOpenTelemetry = true } = this.#env
    return instrumentOpenTelemetry && resolveFromProgram('@opentelemetry/api') !== undefined
  }

  /**
   * Registers the bridge, and enables the instrumentations that are installed.
   *
   * @param registerBridge - `registerOpenTelemetryBridge`, loaded as the package's format loads it.
   * @throws whatever the API or its instrumentations throw.
   */
  takeOpenTelemetry(registerBridge: () => unknown): void {
    registerBridge()
    this.#shown.push('OpenTelemetry')
    const { shown, recorded } = enableInstrumentations()
    this.#recorded = recorded
    if (shown !== undefined) this.#shown.push(shown)
  }

  cannotTakeOpenTelemetry(error: unknown): void {
    tell(`micromegas: OpenTelemetry is installed and not all of it is recorded: ${errorMessage(error)}`)
  }

  /** Instruments what OpenTelemetry's instrumentations do not, and says what is recorded. */
  finish(): void {
    const env = this.#env
    const shown: string[] = []
    if ((env.instrumentHttp ?? true) && !this.#recorded.has('http')) shown.push(this.#recordHttp())
    if (env.instrumentConsole ?? true) shown.push('console')
    if ((env.instrumentPino ?? true) && !this.#recorded.has('pino')) {
      recordPinoLoggers()
      shown.push('pino')
    }
    if ((env.instrumentWinston ?? true) && !this.#recorded.has('winston')) {
      recordWinstonLoggers()
      shown.push('winston')
    }
    if (env.instrumentNest ?? true) {
      recordNestLoggers()
      shown.push('the logger of NestJS')
    }
    const spans = dispatch.cpu.enabled ? 'spans' : 'no spans (MICROMEGAS_ENABLE_CPU_TRACING is false)'
    if (isMainThread()) tell(`micromegas: recording ${[...shown, ...this.#shown, spans].join(', ')}`)
  }

  #recordHttp(): string {
    recordServerRequests()
    noteKoaContexts()
    noteExpressMounts()
    if (resolveFromProgram('hono') !== undefined) noteHonoContexts()
    if (this.#recorded.has('undici')) return 'HTTP servers'
    recordClientRequests()
    return 'HTTP servers and clients'
  }
}

function isMainThread(): boolean {
  return builtin('node:worker_threads').isMainThread
}
