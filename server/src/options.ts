import { resolve as resolvePath } from 'node:path'
import { optionProblems, TelemetryError } from 'micromegas/wire'
import * as z from 'zod/mini'
import type { Door, DoorConfig } from './auth/doors.ts'
import { authMembers, type DoorOptions, resolveDoors } from './auth-options.ts'
import { pageLoginProblems, pageLoginSchema } from './login/login-options.ts'
import type { PageLogin } from './login/page-login.ts'
import { flag, text, whole } from './schemas.ts'
import type { ServerEventListener } from './server-event.ts'

/** Where followed events are written; `process.stdout` is one. */
export interface PrintTarget {
  write(text: string): unknown
  /** Colours are used when it says so; a terminal's answer follows `NO_COLOR`. */
  hasColors?(): boolean
}

export interface ServerOptions extends DoorOptions {
  /** Address to listen on. @defaultValue `127.0.0.1` */
  readonly host?: string | undefined
  /** 0 takes any free port. @defaultValue `8081`, as the reference server */
  readonly port?: number | undefined
  /** Port of FlightSQL; 0 takes any free port. @defaultValue `50051`, as the reference server; `0` when `port` is 0 */
  readonly flightPort?: number | undefined
  /** Directory of everything that is kept; made when missing. @defaultValue `.micromegas` */
  readonly dataDir?: string | undefined
  /** True keeps the data in a fresh directory that `close()` deletes, for tests. Excludes `dataDir`. @defaultValue `false` */
  readonly temporary?: boolean | undefined
  /**
   * Bytes kept; beyond it the oldest blocks are deleted. At least 1 MiB; `Infinity` keeps everything.
   * @defaultValue 4 GiB
   */
  readonly maxBytes?: number | undefined
  /**
   * What the server does: `ingestion` takes telemetry, `analytics` answers questions, over FlightSQL and HTTP, and shows the
   * page. A server without a role has none of its routes and ports, and needs no credentials for it. @defaultValue both
   */
  readonly roles?: readonly Door[] | undefined
  /**
   * True answers a request only once what it brought is on the disk, so that a power cut loses nothing that was answered. A
   * killed server loses nothing either way. @defaultValue `false`
   */
  readonly fsync?: boolean | undefined
  /** Credentials for taking telemetry, where they are others. */
  readonly ingestion?: DoorOptions | undefined
  /** Credentials for answering questions, over HTTP and FlightSQL, where they are others. */
  readonly analytics?: DoorOptions | undefined
  /** Logins that the page offers, at issuers of `oidc`. @defaultValue none: the page asks for a key or token */
  readonly pageLogin?: readonly PageLogin[] | undefined
  /**
   * True makes an admin of everyone who comes in, API keys too, where nobody else could be one: without OIDC or without
   * `admins`. The reference server does so without being asked. @defaultValue `false`
   */
  readonly callersAreAdmins?: boolean | undefined
  /** True lets everyone do everything; for local development. @defaultValue `false` */
  readonly disableAuth?: boolean | undefined
  /** Longest request body, at least 1. @defaultValue 100 MiB, as the reference server */
  readonly bodyLimitBytes?: number | undefined
  /**
   * Connections at a time, at least 1. Beyond it whoever has been idle the longest gives way to a new one.
   * @defaultValue `1000`
   */
  readonly maxConnections?: number | undefined
  /**
   * Decodes every block once it is stored and reports those that no reader can make sense of. Off, they are found only
   * when they are read. @defaultValue `true`
   */
  readonly checkBlocks?: boolean | undefined
  /** Follows decoded events: `true` on the standard output. @defaultValue `false` */
  readonly print?: boolean | PrintTarget | undefined
  /** Receives what the server reports. @defaultValue warnings and errors as lines on the standard error output */
  readonly onEvent?: ServerEventListener | undefined
  /** Longest `close()` waits for requests under way, in milliseconds. @defaultValue `5000` */
  readonly closeTimeoutMs?: number | undefined
}

/** {@link ServerOptions} with every default filled in. */
export interface MicromegasServerConfig {
  readonly host: string
  readonly port: number
  readonly flightPort: number
  /** Absolute; `undefined` for a temporary directory. */
  readonly dataDir: string | undefined
  readonly maxBytes: number
  readonly fsync: boolean
  readonly roles: readonly Door[]
  readonly doors: Readonly<Record<Door, DoorConfig>>
  readonly pageLogin: readonly PageLogin[]
  readonly callersAreAdmins: boolean
  readonly disableAuth: boolean
  readonly bodyLimitBytes: number
  readonly maxConnections: number
  readonly checkBlocks: boolean
  readonly print: PrintTarget | undefined
  readonly onEvent: ServerEventListener | undefined
  readonly closeTimeoutMs: number
}

const ROLES = ['ingestion', 'analytics'] as const satisfies readonly Door[]
export const DEFAULT_HOST = '127.0.0.1'
export const DEFAULT_PORT = 8081
export const DEFAULT_FLIGHT_PORT = 50051
export const DEFAULT_DATA_DIR = '.micromegas'
export const DEFAULT_MAX_BYTES: number = 4 * 1024 ** 3
const MIN_MAX_BYTES = 1024 * 1024
/** Reference server: `RequestBodyLimitLayer` of 100 MiB. */
const DEFAULT_BODY_LIMIT_BYTES = 100 * 1024 * 1024
const DEFAULT_MAX_CONNECTIONS = 1000
const DEFAULT_CLOSE_TIMEOUT_MS = 5_000
/** Timers take no more, and fire at once beyond. */
const MAX_TIMER_MS = 2 ** 31 - 1
const closeTimeoutError = `expected a whole number of milliseconds up to ${MAX_TIMER_MS}`

const portError = 'expected a port from 0 to 65535'
export const portSchema = whole(0, portError).check(z.maximum(65_535, { error: portError }))
const maxBytesError =
  'expected at least 1MiB, e.g. 500MiB, or unlimited (in code: a number of bytes, or Infinity)'
export const maxBytesSchema = z.union(
  [z.literal(Number.POSITIVE_INFINITY), z.number().check(z.minimum(MIN_MAX_BYTES, { error: maxBytesError }))],
  { error: maxBytesError },
)

const rolesError = 'expected ingestion, analytics or both'
export const rolesSchema = z.array(z.enum(ROLES, { error: rolesError }), { error: rolesError }).check(
  z.minLength(1, { error: rolesError }),
  z.refine((roles) => new Set(roles).size === roles.length, { error: rolesError }),
)

const optionsSchema = z.strictObject({
  host: z._default(text('expected a host name or address'), DEFAULT_HOST),
  port: z._default(portSchema, DEFAULT_PORT),
  flightPort: z.optional(portSchema),
  dataDir: z.optional(text('expected a directory')),
  temporary: flag,
  maxBytes: z._default(maxBytesSchema, DEFAULT_MAX_BYTES),
  fsync: flag,
  roles: z._default(rolesSchema, [...ROLES]),
  ...authMembers,
  pageLogin: z._default(pageLoginSchema, []),
  callersAreAdmins: flag,
  disableAuth: flag,
  bodyLimitBytes: z._default(
    whole(1, 'expected a whole number of bytes, at least 1'),
    DEFAULT_BODY_LIMIT_BYTES,
  ),
  maxConnections: z._default(whole(1, 'expected a whole number, at least 1'), DEFAULT_MAX_CONNECTIONS),
  checkBlocks: z._default(z.boolean({ error: 'expected true or false' }), true),
  print: z._default(
    z.union(
      [z.boolean(), z.custom<PrintTarget>((value) => typeof (value as PrintTarget)?.write === 'function')],
      {
        error: 'expected true, false or something with a write method',
      },
    ),
    false,
  ),
  onEvent: z.optional(
    z.custom<ServerEventListener>((value) => typeof value === 'function', {
      error: 'expected a function',
    }),
  ),
  closeTimeoutMs: z._default(
    whole(0, closeTimeoutError).check(z.maximum(MAX_TIMER_MS, { error: closeTimeoutError })),
    DEFAULT_CLOSE_TIMEOUT_MS,
  ),
})

/** One error for everything that is wrong with the configuration. */
export function configError(problems: readonly string[], cause?: unknown): TelemetryError {
  const list = problems.map((problem) => `\n  ${problem}`).join('')
  return new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot start the server:${list}`, { cause })
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` with every problem.
 */
export function resolveOptions(options: ServerOptions): MicromegasServerConfig {
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success) throw configError(optionProblems(parsed.error))
  const { dataDir, temporary, print, apiKeys, apiKeysFile, oidc, admins, ingestion, analytics, ...config } =
    parsed.data
  const { doors, problems: doorProblems } = resolveDoors(
    { apiKeys, apiKeysFile, oidc, admins, ingestion, analytics },
    config,
  )
  const problems: string[] = []
  if (temporary && dataDir !== undefined) problems.push('temporary: excludes dataDir')
  problems.push(...doorProblems, ...pageLoginProblems(config.pageLogin, doors.analytics))
  if (problems.length > 0) throw configError(problems)
  return Object.freeze({
    ...config,
    flightPort: config.flightPort ?? (config.port === 0 ? 0 : DEFAULT_FLIGHT_PORT),
    doors,
    onEvent: config.onEvent,
    dataDir: temporary ? undefined : resolvePath(dataDir ?? DEFAULT_DATA_DIR),
    print: print === true ? process.stdout : print === false ? undefined : print,
  })
}
