import { optionProblems } from 'micromegas/wire'
import * as z from 'zod/mini'
import type { Admin } from './auth/admins.ts'
import type { ApiKey } from './auth/api-keys.ts'
import type { Door, DoorConfig } from './auth/doors.ts'
import type { OidcOptions } from './auth/oidc-verifier.ts'
import { issuerUrl, text, whole } from './schemas.ts'

/** Who may come in. Given for one door, each member stands in the place of the plain one of that name. */
export interface DoorOptions {
  /** Accepted bearer tokens. For one door, they stand in the place of the plain `apiKeysFile` too. */
  readonly apiKeys?: readonly ApiKey[] | undefined
  /**
   * File with more keys, in the form of `MICROMEGAS_API_KEYS`. It is read again when it changes. For one door, it stands in
   * the place of the plain `apiKeys` too.
   */
  readonly apiKeysFile?: string | undefined
  /** Accepts JSON Web Tokens of these issuers. */
  readonly oidc?: OidcOptions | undefined
  /** OIDC users who may delete data: their `sub` or address, or an object that names the issuer too. */
  readonly admins?: readonly Admin[] | undefined
}

/** What the variables look like, for help and error messages. */
export const API_KEYS_FORM = '[{"name":"ci","key":"…"}]'
export const OIDC_CONFIG_FORM = '{"issuers":[{"issuer":"https://…","audience":"…"}]}'
export const ADMINS_FORM = '["alice@example.com"]'

/** Keys as a header can carry them. No message of this schema may show a member: it could be the key. */
export const apiKeysSchema: z.ZodMiniType<ApiKey[]> = z
  .array(
    z.strictObject(
      {
        name: text('expected a text'),
        key: z
          .string({ error: 'expected a text' })
          .check(z.regex(/^[\x21-\x7e]+$/, { error: 'expected visible ASCII characters without spaces' })),
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

function issuersSchema<Flag extends string>(flagName: Flag) {
  return z
    .array(
      z.strictObject(
        {
          issuer: issuerUrl,
          audience: text('expected a text'),
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
export const oidcEnvSchema: z.ZodMiniType<OidcOptions> = z.pipe(
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

const doorMembers = {
  apiKeys: z.optional(apiKeysSchema),
  apiKeysFile: z.optional(text('expected a file')),
  oidc: z.optional(oidcSchema),
  admins: z.optional(adminsSchema),
}

/** Members of the options that say who may come in. */
export const authMembers = {
  ...doorMembers,
  ingestion: z.optional(z.strictObject(doorMembers)),
  analytics: z.optional(z.strictObject(doorMembers)),
}

type Parsed = { readonly [Name in keyof typeof authMembers]?: z.output<(typeof authMembers)[Name]> }

const NO_AUTH_PROBLEM =
  'no authentication: set MICROMEGAS_API_KEYS, MICROMEGAS_API_KEYS_FILE or MICROMEGAS_OIDC_CONFIG (options apiKeys, apiKeysFile, oidc), or pass --generate-key, or --disable-auth (option disableAuth) for local development'

/** What each door takes, and what its settings say against each other. */
export function resolveDoors(
  options: Parsed,
  {
    disableAuth,
    callersAreAdmins,
    roles,
  }: { readonly disableAuth: boolean; readonly callersAreAdmins: boolean; readonly roles: readonly Door[] },
): { readonly doors: Readonly<Record<Door, DoorConfig>>; readonly problems: readonly string[] } {
  const doors = { ingestion: doorOf(options, 'ingestion'), analytics: doorOf(options, 'analytics') }
  const problems: string[] = []
  const closed = roles.filter((name) => !isOpen(doors[name]))
  if (!disableAuth) {
    if (closed.length === roles.length) problems.push(NO_AUTH_PROBLEM)
    else for (const name of closed) problems.push(closedProblem(name))
  }
  for (const [name, door] of Object.entries(options)) {
    if (name === 'oidc') problems.push(...trustProblems('oidc', door as DoorConfig['oidc']))
    if (name === 'ingestion' || name === 'analytics')
      problems.push(
        ...trustProblems(`${name}.oidc`, (door as Parsed['ingestion'])?.oidc as DoorConfig['oidc']),
      )
  }
  problems.push(...adminProblems(options, doors))
  if (callersAreAdmins) {
    if (disableAuth) problems.push('callersAreAdmins: excludes disableAuth, with which everyone is an admin')
    else if (Object.values(doors).some(({ oidc, admins }) => oidc !== undefined && admins.length > 0))
      problems.push('callersAreAdmins: excludes admins (MICROMEGAS_ADMINS), which name those who are')
  }
  return { doors, problems }
}

/**
 * Reads the text of a file with API keys.
 *
 * @throws Error that says what is wrong, and shows no key.
 */
export function parseApiKeys(source: string): readonly ApiKey[] {
  let document: unknown
  try {
    document = JSON.parse(source)
  } catch {
    // The parser's message quotes the text.
    throw new Error(`expected JSON such as ${API_KEYS_FORM}`)
  }
  const parsed = apiKeysSchema.safeParse(document)
  if (parsed.success) return parsed.data
  throw new Error(optionProblems(parsed.error, 'keys').join('; '))
}

function doorOf(options: Parsed, name: Door): DoorConfig {
  const own = options[name] ?? {}
  const hasKeys = own.apiKeys !== undefined || own.apiKeysFile !== undefined
  const { apiKeys = [], apiKeysFile } = hasKeys ? own : options
  return {
    apiKeys,
    apiKeysFile,
    oidc: own.oidc ?? options.oidc,
    admins: own.admins ?? options.admins ?? [],
  }
}

function isOpen({ apiKeys, apiKeysFile, oidc }: DoorConfig): boolean {
  return apiKeys.length > 0 || apiKeysFile !== undefined || oidc !== undefined
}

function closedProblem(name: Door): string {
  return name === 'ingestion'
    ? 'no authentication for taking telemetry: set MICROMEGAS_INGESTION_API_KEYS (option ingestion), its file or issuers, or the plain ones for both'
    : 'no authentication for answering questions: set MICROMEGAS_ANALYTICS_API_KEYS (option analytics), its file or issuers, or the plain ones for both'
}

function trustProblems(name: string, oidc: DoorConfig['oidc']): string[] {
  const trust = new Map<string, boolean>()
  const problems: string[] = []
  for (const [index, { issuer, trustEmail = false }] of (oidc?.issuers ?? []).entries()) {
    if ((trust.get(issuer) ?? trustEmail) !== trustEmail)
      problems.push(
        `${name}.issuers[${index}]: trustEmail (trust_email) differs from another audience of this issuer`,
      )
    trust.set(issuer, trustEmail)
  }
  return problems
}

/** Admins of an issuer that no door they count at knows. */
function adminProblems(options: Parsed, doors: Readonly<Record<Door, DoorConfig>>): string[] {
  const lists = [
    ['admins', options.admins],
    ['ingestion.admins', options.ingestion?.admins],
    ['analytics.admins', options.analytics?.admins],
  ] as const
  return lists.flatMap(([name, admins = []]) => {
    const users = Object.values(doors).filter((door) => door.admins === admins)
    if (users.length === 0) return []
    const issuers = users.flatMap((door) => (door.oidc?.issuers ?? []).map(({ issuer }) => issuer))
    return admins.flatMap((admin, index) =>
      typeof admin === 'string' || issuers.includes(admin.issuer)
        ? []
        : [`${name}[${index}]: its issuer is not one of those configured, spelled exactly so`],
    )
  })
}
