import type { Env } from 'micromegas/wire'
import { misspeltVariables, optionProblems, parseFlag } from 'micromegas/wire'
import type * as z from 'zod/mini'
import {
  ADMINS_FORM,
  API_KEYS_FORM,
  adminsSchema,
  apiKeysSchema,
  type DoorOptions,
  OIDC_CONFIG_FORM,
  oidcEnvSchema,
} from '../auth-options.ts'
import { PAGE_LOGIN_FORM, pageLoginEnvSchema } from '../login/login-options.ts'
import { configError, maxBytesSchema, portSchema, rolesSchema, type ServerOptions } from '../options.ts'

/** Settings as texts, by where they come from; what the environment and the command line share. */
export interface TextSettings {
  /** Problems name the settings so, e.g. `MICROMEGAS_INGESTION_PORT` or `--port`. */
  readonly names: {
    readonly host: string
    readonly port: string
    readonly flightPort: string
    readonly dataDir: string
    readonly maxBytes: string
    readonly roles: string
  }
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly flightPort?: string | undefined
  readonly dataDir?: string | undefined
  readonly maxBytes?: string | undefined
  readonly roles?: string | undefined
}

/** Options read so far, and what could not be read. */
export interface PartialOptions {
  readonly options: ServerOptions
  readonly problems: readonly string[]
}

export interface EnvironmentOptions extends PartialOptions {
  /** A line for each variable that is not meant for this server. */
  readonly notes: readonly string[]
}

/**
 * Reads the server's environment: `MICROMEGAS_API_KEYS`, `MICROMEGAS_OIDC_CONFIG` and `MICROMEGAS_ADMINS` as the
 * reference server spells them, `MICROMEGAS_API_KEYS_FILE`, the same for one door (`MICROMEGAS_INGESTION_API_KEYS`,
 * `MICROMEGAS_ANALYTICS_API_KEYS` …), which win, `MICROMEGAS_INGESTION_HOST`, `_PORT`, `_DATA_DIR`, `_MAX_BYTES` and
 * `_FSYNC`, `MICROMEGAS_SERVER_ROLES` and `MICROMEGAS_PAGE_LOGIN`. A blank variable counts as unset.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` with every problem by variable name, and no value.
 * @example
 * ```ts
 * await using server = await startServer({ ...serverOptionsFromEnv(), port: 0 })
 * ```
 */
export function serverOptionsFromEnv(env: Env = process.env): ServerOptions {
  const { options, problems, notes } = readServerEnv(env)
  if (problems.length > 0) throw configError(problems)
  for (const note of notes) process.emitWarning(note)
  return options
}

/** {@link serverOptionsFromEnv} that returns its problems, so that a caller can add its own. */
export function readServerEnv(env: Env): EnvironmentOptions {
  const problems: string[] = []
  const notes: string[] = misspeltVariables(env)
  const common = readTextSettings({
    names: {
      host: 'MICROMEGAS_INGESTION_HOST',
      port: PORT_VARIABLES.port,
      flightPort: PORT_VARIABLES.flightPort,
      dataDir: 'MICROMEGAS_INGESTION_DATA_DIR',
      maxBytes: 'MICROMEGAS_INGESTION_MAX_BYTES',
      roles: 'MICROMEGAS_SERVER_ROLES',
    },
    host: env.MICROMEGAS_INGESTION_HOST,
    port: portOf(env, PORT_VARIABLES.port, notes),
    flightPort: portOf(env, PORT_VARIABLES.flightPort, notes),
    dataDir: env.MICROMEGAS_INGESTION_DATA_DIR,
    maxBytes: env.MICROMEGAS_INGESTION_MAX_BYTES,
    roles: env.MICROMEGAS_SERVER_ROLES,
  })
  problems.push(...common.problems)
  const fsync = readFlag('MICROMEGAS_INGESTION_FSYNC', env, problems)
  const pageLogin = readJson(env, 'MICROMEGAS_PAGE_LOGIN', pageLoginEnvSchema, PAGE_LOGIN_FORM, problems)
  const ingestion = readDoor(env, VARIABLES.ingestion, problems)
  const analytics = readDoor(env, VARIABLES.analytics, problems)
  return {
    options: {
      ...common.options,
      ...(fsync !== undefined && { fsync }),
      ...(pageLogin !== undefined && { pageLogin }),
      ...readDoor(env, VARIABLES.both, problems),
      ...(Object.keys(ingestion).length > 0 && { ingestion }),
      ...(Object.keys(analytics).length > 0 && { analytics }),
    },
    problems,
    notes,
  }
}

function readFlag(name: string, env: Env, problems: string[]): boolean | undefined {
  const value = env[name]
  if (value === undefined || value.trim() === '') return undefined
  const flag = parseFlag(value)
  if (flag === undefined) problems.push(`${name}: expected true or false`)
  return flag
}

const PORT_VARIABLES = { port: 'MICROMEGAS_INGESTION_PORT', flightPort: 'MICROMEGAS_ANALYTICS_PORT' } as const

/** Variables of the credentials. */
const VARIABLES = {
  both: {
    apiKeys: 'MICROMEGAS_API_KEYS',
    apiKeysFile: 'MICROMEGAS_API_KEYS_FILE',
    oidc: 'MICROMEGAS_OIDC_CONFIG',
    admins: 'MICROMEGAS_ADMINS',
  },
  ingestion: {
    apiKeys: 'MICROMEGAS_INGESTION_API_KEYS',
    apiKeysFile: 'MICROMEGAS_INGESTION_API_KEYS_FILE',
    oidc: 'MICROMEGAS_INGESTION_OIDC_CONFIG',
    admins: 'MICROMEGAS_INGESTION_ADMINS',
  },
  analytics: {
    apiKeys: 'MICROMEGAS_ANALYTICS_API_KEYS',
    apiKeysFile: 'MICROMEGAS_ANALYTICS_API_KEYS_FILE',
    oidc: 'MICROMEGAS_ANALYTICS_OIDC_CONFIG',
    admins: 'MICROMEGAS_ANALYTICS_ADMINS',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<keyof DoorOptions, string>>>>

/** Kubernetes sets `<NAME>_PORT=tcp://10.0.0.1:8081` in every pod beside a Service of that name: it is not meant for us. */
function portOf(env: Env, name: string, notes: string[]): string | undefined {
  const value = env[name]
  if (value === undefined || !/^\s*(tcp|udp|sctp):\/\//i.test(value)) return value
  const service = name
    .replace(/_PORT$/, '')
    .toLowerCase()
    .replace('_', '-')
  notes.push(
    `${name} is ignored: it is what Kubernetes sets for a Service named ${service}; use the flag, or enableServiceLinks: false in the pod`,
  )
  return undefined
}

function readDoor(
  env: Env,
  names: Readonly<Record<keyof DoorOptions, string>>,
  problems: string[],
): DoorOptions {
  const json = <T>(name: string, schema: z.ZodMiniType<T>, form: string): T | undefined =>
    readJson(env, name, schema, form, problems)
  const apiKeys = json(names.apiKeys, apiKeysSchema, API_KEYS_FORM)
  const apiKeysFile = env[names.apiKeysFile]?.trim() || undefined
  const oidc = json(names.oidc, oidcEnvSchema, OIDC_CONFIG_FORM)
  const admins = json(names.admins, adminsSchema, ADMINS_FORM)
  return {
    ...(apiKeys !== undefined && { apiKeys }),
    ...(apiKeysFile !== undefined && { apiKeysFile }),
    ...(oidc !== undefined && { oidc }),
    ...(admins !== undefined && { admins }),
  }
}

function readJson<T>(
  env: Env,
  name: string,
  schema: z.ZodMiniType<T>,
  form: string,
  problems: string[],
): T | undefined {
  const value = env[name]
  if (value === undefined || value.trim() === '') return undefined
  let document: unknown
  try {
    document = JSON.parse(value)
  } catch {
    // The parser's message quotes the text, which may hold keys.
    problems.push(`${name}: expected JSON such as ${form}`)
    return undefined
  }
  const parsed = schema.safeParse(document)
  if (parsed.success) return parsed.data
  problems.push(...optionProblems(parsed.error, name))
  return undefined
}

/** Reads the settings that are plain texts; blank ones are left out. */
export function readTextSettings(settings: TextSettings): PartialOptions {
  const problems: string[] = []
  const present = (value: string | undefined): string | undefined =>
    value?.trim() ? value.trim() : undefined
  const number = (
    name: string,
    value: string | undefined,
    read: (value: string) => number,
    schema: z.ZodMiniType<number>,
  ): number | undefined => {
    const given = present(value)
    if (given === undefined) return undefined
    const parsed = schema.safeParse(read(given))
    if (parsed.success) return parsed.data
    problems.push(...optionProblems(parsed.error, name))
    return undefined
  }
  const { names } = settings
  const host = present(settings.host)
  const dataDir = present(settings.dataDir)
  const toPort = (value: string): number => (/^\d+$/.test(value) ? Number(value) : Number.NaN)
  const port = number(names.port, settings.port, toPort, portSchema)
  const flightPort = number(names.flightPort, settings.flightPort, toPort, portSchema)
  const roles = present(settings.roles)
    ?.split(',')
    .map((role) => role.trim().toLowerCase())
  const parsedRoles = roles && rolesSchema.safeParse(roles)
  if (parsedRoles?.success === false) problems.push(...optionProblems(parsedRoles.error, names.roles))
  const maxBytes = number(names.maxBytes, settings.maxBytes, parseBytes, maxBytesSchema)
  return {
    options: {
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
      ...(flightPort !== undefined && { flightPort }),
      ...(dataDir !== undefined && { dataDir }),
      ...(maxBytes !== undefined && { maxBytes }),
      ...(parsedRoles?.success && { roles: parsedRoles.data }),
    },
    problems,
  }
}

const BYTE_UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['KIB', 1024],
  ['MIB', 1024 ** 2],
  ['GIB', 1024 ** 3],
  ['TIB', 1024 ** 4],
])

/** `500MiB`, `2GiB`, a plain number of bytes, or `unlimited`; `NaN` for anything else. */
function parseBytes(value: string): number {
  if (value.toLowerCase() === 'unlimited') return Number.POSITIVE_INFINITY
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(value) ?? []
  const factor = unit === undefined ? undefined : BYTE_UNITS.get(unit.toUpperCase())
  return digits === undefined || factor === undefined ? Number.NaN : Math.floor(Number(digits) * factor)
}
