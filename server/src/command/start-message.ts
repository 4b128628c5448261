import type { ServerOptions } from '../options.ts'
import { DEFAULT_MAX_BYTES } from '../options.ts'
import type { MicromegasServer } from '../server.ts'
import { printable } from '../server-event.ts'

/**
 * What the command prints once it listens: where it is, what it keeps, who may come in, the environment of a service that
 * sends to it, and a request that reads. Keys are named, not shown, except for one that the command made itself.
 */
export function startMessage(
  server: MicromegasServer,
  options: ServerOptions,
  generated: string | undefined,
): string {
  const { apiKeys = [], oidc, disableAuth = false, maxBytes = DEFAULT_MAX_BYTES } = options
  const readUrl = `"${server.url}/api/log_entries"`
  const kept = Number.isFinite(maxBytes)
    ? `${formatBytes(maxBytes)} at most, then the oldest blocks are deleted`
    : 'without limit'
  const lines = [
    `Micromegas server listening on ${server.url}`,
    `  data: ${server.dataDir} (${kept})`,
    `  auth: ${describeAuth(options)}`,
    '',
    'Environment of a service that sends to it:',
    `  MICROMEGAS_TELEMETRY_URL=${server.url}`,
  ]
  if (!disableAuth) {
    const name = apiKeys[0]?.name
    if (generated !== undefined) lines.push(`  MICROMEGAS_INGESTION_API_KEY=${generated}`)
    else if (name !== undefined)
      lines.push(`  MICROMEGAS_INGESTION_API_KEY=<the key named ${JSON.stringify(name)}>`)
    else if (oidc !== undefined) lines.push(...oidcLines(oidc))
  }
  lines.push(
    '',
    'Ask it by SQL (npx micromegas query, Python, Grafana):',
    `  MICROMEGAS_ANALYTICS_URI=${server.flightUri}`,
  )
  if (disableAuth) lines.push('', 'Read it back:', `  curl ${readUrl}`)
  else if (apiKeys.length > 0) {
    const header = '"Authorization: Bearer $MICROMEGAS_INGESTION_API_KEY"'
    lines.push('', 'Read it back, with that key in the environment:', `  curl -H ${header} ${readUrl}`)
  } else {
    lines.push('', 'Read it back, with a token of that audience:')
    lines.push(`  curl -H "Authorization: Bearer <token>" ${readUrl}`)
  }
  return `${lines.map(printable).join('\n')}\n`
}

function oidcLines(oidc: NonNullable<ServerOptions['oidc']>): string[] {
  const issuer = oidc.issuers[0]
  return [
    `  MICROMEGAS_OIDC_TOKEN_ENDPOINT=<token endpoint of ${issuer?.issuer}>`,
    '  MICROMEGAS_OIDC_CLIENT_ID=<client id>',
    '  MICROMEGAS_OIDC_CLIENT_SECRET=<client secret>',
    `  MICROMEGAS_OIDC_AUDIENCE=${issuer?.audience}`,
  ]
}

function describeAuth({ apiKeys = [], oidc, disableAuth = false }: ServerOptions): string {
  if (disableAuth) return 'disabled'
  const parts: string[] = []
  if (apiKeys.length > 0) parts.push(`API keys (${apiKeys.map(({ name }) => name).join(', ')})`)
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
