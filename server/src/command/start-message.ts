import type { DoorConfig } from '../auth/doors.ts'
import type { MicromegasServerConfig } from '../options.ts'
import type { MicromegasServer } from '../server.ts'
import { printable } from '../server-event.ts'
import { oidcHint } from './oidc-hint.ts'

/**
 * What the command prints once it listens: where it is, what it keeps, who may come in, the environment of a service that
 * sends to it, and a request that reads. Keys are named, not shown, except for one that the command made itself.
 */
export function startMessage(
  server: MicromegasServer,
  config: Pick<MicromegasServerConfig, 'doors' | 'disableAuth' | 'callersAreAdmins' | 'maxBytes' | 'roles'>,
  generated: string | undefined,
): string {
  const { disableAuth, maxBytes, doors, roles } = config
  const kept = Number.isFinite(maxBytes)
    ? `${formatBytes(maxBytes)} at most, then the oldest blocks are deleted`
    : 'without limit'
  const lines = [
    `Micromegas server listening on ${server.url}`,
    `  data: ${server.dataDir} (${kept})`,
    ...(roles.length === 1 ? [`  role: ${roles[0]} only`] : []),
    ...authLines(config),
  ]
  if (roles.includes('ingestion')) {
    lines.push('', 'Environment of a service that sends to it:', `  MICROMEGAS_TELEMETRY_URL=${server.url}`)
    if (!disableAuth) lines.push(...credentialLines(doors.ingestion, generated))
  }
  if (roles.includes('analytics')) lines.push(...askingLines(server, config, generated))
  return `${lines.map(printable).join('\n')}\n`
}

/** Where to look, and how to ask. */
function askingLines(
  server: MicromegasServer,
  config: Pick<MicromegasServerConfig, 'doors' | 'disableAuth'>,
  generated: string | undefined,
): string[] {
  // What follows # stays in the browser.
  const fragment = generated === undefined ? '' : `#key=${encodeURIComponent(generated)}`
  return [
    '',
    'Look at it:',
    `  ${server.url}/ui/${fragment}`,
    '',
    'Ask it by SQL (npx micromegas query, Python, Grafana):',
    `  MICROMEGAS_ANALYTICS_URI=${server.flightUri}`,
    ...(config.disableAuth
      ? []
      : keyLines('MICROMEGAS_ANALYTICS_API_KEY', config.doors.analytics, generated)),
    '',
    ...readingLines(`"${server.url}/api/log_entries"`, config, generated),
  ]
}

function credentialLines(door: DoorConfig, generated: string | undefined): string[] {
  const issuer = door.oidc?.issuers[0]
  const keys = keyLines('MICROMEGAS_INGESTION_API_KEY', door, generated)
  return keys.length > 0 || issuer === undefined ? keys : oidcHint(issuer).map((line) => `  ${line}`)
}

/** A variable with a key of a door that has any. */
function keyLines(
  variable: string,
  { apiKeys, apiKeysFile }: DoorConfig,
  generated: string | undefined,
): string[] {
  const name = apiKeys[0]?.name
  if (generated !== undefined) return [`  ${variable}=${generated}`]
  if (name !== undefined) return [`  ${variable}=<the key named ${JSON.stringify(name)}>`]
  return apiKeysFile === undefined ? [] : [`  ${variable}=<a key in ${apiKeysFile}>`]
}

function readingLines(
  url: string,
  { doors, disableAuth }: Pick<MicromegasServerConfig, 'doors' | 'disableAuth'>,
  generated: string | undefined,
): string[] {
  if (disableAuth) return ['Read it back:', `  curl ${url}`]
  const curl = (token: string): string => `  curl -H "Authorization: Bearer ${token}" ${url}`
  const { ingestion, analytics } = doors
  const [sent, asked] = [ingestion, analytics].map((door) => door.apiKeys[0]?.key)
  if (generated !== undefined || (asked !== undefined && asked === sent))
    return ['Read it back, with that key in the environment:', curl('$MICROMEGAS_INGESTION_API_KEY')]
  const name = analytics.apiKeys[0]?.name
  if (name !== undefined) return [`Read it back, with the key named ${JSON.stringify(name)}:`, curl('<key>')]
  if (analytics.apiKeysFile !== undefined)
    return [`Read it back, with a key in ${analytics.apiKeysFile}:`, curl('<key>')]
  return [`Read it back, with a token for ${analytics.oidc?.issuers[0]?.audience}:`, curl('<token>')]
}

function authLines({
  doors,
  disableAuth,
  callersAreAdmins,
  roles,
}: Pick<MicromegasServerConfig, 'doors' | 'disableAuth' | 'callersAreAdmins' | 'roles'>): string[] {
  if (disableAuth) return ['  auth: disabled']
  const [ingestion, analytics] = [describeDoor(doors.ingestion), describeDoor(doors.analytics)]
  const { oidc, admins } = doors.analytics
  const names = admins.map((admin) =>
    typeof admin === 'string' ? admin : `${admin.subject ?? admin.email} of ${admin.issuer}`,
  )
  const known = oidc !== undefined && names.length > 0 ? names.join(', ') : 'nobody'
  return [
    ...(roles.length === 1 || ingestion === analytics
      ? [`  auth: ${roles.includes('ingestion') ? ingestion : analytics}`]
      : [`  auth: for taking telemetry ${ingestion}`, `        for answering questions ${analytics}`]),
    `  admins: ${callersAreAdmins ? 'everyone who comes in' : known}`,
  ]
}

function describeDoor({ apiKeys, apiKeysFile, oidc }: DoorConfig): string {
  const parts: string[] = []
  if (apiKeys.length > 0) parts.push(`API keys (${apiKeys.map(({ name }) => name).join(', ')})`)
  if (apiKeysFile !== undefined) parts.push(`API keys in ${apiKeysFile}`)
  for (const { issuer, audience } of oidc?.issuers ?? []) parts.push(`OIDC ${issuer} (audience ${audience})`)
  return parts.join(', ')
}

function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${Number(value.toFixed(1))} ${units[unit]}`
}
