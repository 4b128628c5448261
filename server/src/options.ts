import { resolve as resolvePath } from 'node:path'
import { TelemetryError } from 'micromegas/wire'
import * as z from 'zod/mini'
import type { Admin } from './auth/admins.ts'
import type { ApiKey } from './auth/api-keys.ts'
import type { OidcConfig, OidcOptions } from './auth/oidc-verifier.ts'
import type { ServerEventListener } from './server-event.ts'

/** Where followed events are written; `process.stdout` is one. */
export interface PrintTarget {
  write(text: string): unknown
  /** Colours are used when it says so; a terminal's answer follows `NO_COLOR`. */
  hasColors?(): boolean
}

export interface ServerOptions {
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
  /** Accepted bearer tokens. */
  readonly apiKeys?: readonly ApiKey[] | undefined
  /** Accepts JSON Web Tokens of these issuers. */
  readonly oidc?: OidcOptions | undefined
  /** OIDC users who may delete data: their `sub` or address, or an object that names the issuer too. */
  readonly admins?: readonly Admin[] | undefined
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
  readonly apiKeys: readonly ApiKey[]
  readonly oidc: OidcConfig | undefined
  readonly admins: readonly Admin[]
  readonly disableAuth: boolean
  readonly bodyLimitBytes: number
  readonly maxConnections: number
  readonly checkBlocks: boolean
  readonly print: PrintTarget | undefined
  readonly onEvent: ServerEventListener | undefined
  readonly closeTimeoutMs: number
}

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

/** What the variables look like, for help and error messages. */
export const API_KEYS_FORM = '[{"name":"ci","key":"…"}]'
export const OIDC_CONFIG_FORM = '{"issuers":[{"issuer":"https://…","audience":"…"}]}'
export const ADMINS_FORM = '["alice@example.com"]'

const text = (error: string) => z.string({ error }).check(z.regex(/\S/, { error }))
const whole = (minimum: number, error: string) => z.int({ error }).check(z.minimum(minimum, { error }))
const flag = z._default(z.boolean({ error: 'expected true or false' }), false)

/** Keys as a header can carry them. No message of this schema may show a member: it could be the key. */
export const apiKeysSchema = z
  .array(
    z.strictObject(
      {
        name: text('name: expected a text'),
        key: z
          .string({ error: 'key: expected a text' })
          .check(
            z.regex(/^[\x21-\x7e]+$/, { error: 'key: expected visible ASCII characters without spaces' }),
          ),
      },
      { error: 'expected an object with the members name and key, and no other' },
    ),
    { error: `expected an array such as ${API_KEYS_FORM}` },
  )
  .check(
    z.refine((keys) => new Set(keys.map(({ key }) => key)).size === keys.length, {
      error: 'a key is there twice',
    }),
  )

export const adminsSchema: z.ZodMiniType<readonly Admin[]> = z.array(
  z.custom<Admin>(isAdminEntry, {
    error: 'expected a text, or an object with issuer and either subject or email',
  }),
  { error: `expected an array such as ${ADMINS_FORM}` },
)

function isAdminEntry(value: unknown): boolean {
  const isText = (member: unknown): boolean => typeof member === 'string' && /\S/.test(member)
  if (typeof value !== 'object' || value === null) return isText(value)
  const { issuer, subject, email, ...rest } = value as Record<string, unknown>
  const names = [subject, email].filter((name) => name !== undefined)
  return isText(issuer) && names.length === 1 && names.every(isText) && Object.keys(rest).length === 0
}

const issuerUrl = z.string({ error: 'issuer: expected a URL' }).check(
  z.refine((value) => URL.canParse(value) && /^https?:\/\//.test(value), {
    error: 'issuer: expected an https URL (http for local development)',
  }),
)

function issuersSchema<Flag extends string>(flagName: Flag) {
  return z
    .array(
      z.strictObject(
        {
          issuer: issuerUrl,
          audience: text('audience: expected a text'),
          [flagName]: z.optional(z.boolean({ error: 'expected true or false' })),
        } as {
          issuer: typeof issuerUrl
          audience: ReturnType<typeof text>
        } & Record<Flag, z.ZodMiniOptional<z.ZodMiniBoolean>>,
        {
          error: `expected an object with the members issuer, audience and, if wanted, ${flagName}, and no other`,
        },
      ),
      { error: 'expected an array such as [{"issuer":"https://…","audience":"…"}]' },
    )
    .check(z.minLength(1, { error: 'expected at least one issuer' }))
}

const oidcSchema = z.strictObject(
  {
    issuers: issuersSchema('trustEmail'),
    jwksRefreshIntervalSeconds: z._default(whole(1, 'expected a whole number of seconds, at least 1'), 3600),
    tokenCacheSize: z._default(whole(0, 'expected a whole number'), 1000),
    tokenCacheTtlSeconds: z._default(whole(0, 'expected a whole number of seconds'), 300),
  },
  { error: 'expected an object with issuers' },
)

/** Wire names of the reference server's `MICROMEGAS_OIDC_CONFIG`. */
export const oidcEnvSchema = z.pipe(
  z.strictObject(
    {
      issuers: issuersSchema('trust_email'),
      jwks_refresh_interval_secs: z.optional(whole(1, 'expected a whole number of seconds, at least 1')),
      token_cache_size: z.optional(whole(0, 'expected a whole number')),
      token_cache_ttl_secs: z.optional(whole(0, 'expected a whole number of seconds')),
    },
    {
      error:
        'expected an object with issuers and, if wanted, jwks_refresh_interval_secs, token_cache_size, token_cache_ttl_secs, and nothing else',
    },
  ),
  z.transform(
    (config): OidcOptions => ({
      issuers: config.issuers.map(({ trust_email: trustEmail, ...issuer }) => ({
        ...issuer,
        ...(trustEmail !== undefined && { trustEmail }),
      })),
      jwksRefreshIntervalSeconds: config.jwks_refresh_interval_secs,
      tokenCacheSize: config.token_cache_size,
      tokenCacheTtlSeconds: config.token_cache_ttl_secs,
    }),
  ),
)

const portError = 'expected a port from 0 to 65535'
export const portSchema = whole(0, portError).check(z.maximum(65_535, { error: portError }))
const maxBytesError =
  'expected at least 1MiB, e.g. 500MiB, or unlimited (in code: a number of bytes, or Infinity)'
export const maxBytesSchema = z.union(
  [z.literal(Number.POSITIVE_INFINITY), z.number().check(z.minimum(MIN_MAX_BYTES))],
  { error: maxBytesError },
)

const optionsSchema = z.strictObject(
  {
    host: z._default(text('expected a host name or address'), DEFAULT_HOST),
    port: z._default(portSchema, DEFAULT_PORT),
    flightPort: z.optional(portSchema),
    dataDir: z.optional(text('expected a directory')),
    temporary: flag,
    maxBytes: z._default(maxBytesSchema, DEFAULT_MAX_BYTES),
    apiKeys: z._default(apiKeysSchema, []),
    oidc: z.optional(oidcSchema),
    admins: z._default(adminsSchema, []),
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
  },
  { error: 'unknown' },
)

/** What is wrong, one line per problem, led by `name` and the place within it. Shows no value. */
export function problemsOf(name: string, error: z.core.$ZodError): string[] {
  return error.issues.map((issue) => {
    const place = issue.path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
    // Members named by the messages themselves are not named twice.
    const shown = /^(name|key|issuer|audience): /.test(issue.message) ? place.replace(/\.\w+$/, '') : place
    return `${name}${shown}: ${issue.message}`
  })
}

/** One error for everything that is wrong with the configuration. */
export function configError(problems: readonly string[], cause?: unknown): TelemetryError {
  const list = problems.map((problem) => `\n  ${problem}`).join('')
  return new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot start the ingestion server:${list}`, { cause })
}

export const NO_AUTH_PROBLEM =
  'no authentication: set MICROMEGAS_API_KEYS or MICROMEGAS_OIDC_CONFIG (options apiKeys, oidc), or pass --generate-key, or --disable-auth (option disableAuth) for local development'

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` with every problem.
 */
export function resolveOptions(options: ServerOptions): MicromegasServerConfig {
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success) {
    const unknown = parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [],
    )
    const problems = problemsOf('', parsed.error).filter((problem) => problem !== ': unknown')
    throw configError([...unknown.map((key) => `${key}: unknown option`), ...problems.map(withoutDot)])
  }
  const { dataDir, temporary, print, ...config } = parsed.data
  const problems: string[] = []
  if (temporary && dataDir !== undefined) problems.push('temporary: excludes dataDir')
  if (!config.disableAuth && config.apiKeys.length === 0 && config.oidc === undefined)
    problems.push(NO_AUTH_PROBLEM)
  problems.push(...issuerProblems(config.oidc, config.admins))
  if (problems.length > 0) throw configError(problems)
  return Object.freeze({
    ...config,
    flightPort: config.flightPort ?? (config.port === 0 ? 0 : DEFAULT_FLIGHT_PORT),
    oidc: config.oidc,
    onEvent: config.onEvent,
    dataDir: temporary ? undefined : resolvePath(dataDir ?? DEFAULT_DATA_DIR),
    print: print === true ? process.stdout : print === false ? undefined : print,
  })
}

/** What two entries that are right each by itself say against each other. */
function issuerProblems(oidc: OidcConfig | undefined, admins: readonly Admin[]): string[] {
  const trust = new Map<string, boolean>()
  const problems: string[] = []
  for (const [index, { issuer, trustEmail = false }] of (oidc?.issuers ?? []).entries()) {
    if ((trust.get(issuer) ?? trustEmail) !== trustEmail)
      problems.push(
        `oidc.issuers[${index}]: trustEmail (trust_email) differs from another audience of this issuer`,
      )
    trust.set(issuer, trustEmail)
  }
  for (const [index, admin] of admins.entries()) {
    if (typeof admin === 'string' || trust.has(admin.issuer)) continue
    problems.push(`admins[${index}]: its issuer is not one of those configured, spelled exactly so`)
  }
  return problems
}

function withoutDot(problem: string): string {
  return problem.replace(/^\./, '')
}
