import { tell } from '../config/diagnostics.ts'
import { TelemetryError } from '../model/errors.ts'

const LOOPBACK_V4 = /^127(?:\.\d{1,3}){3}$/
/** 127.0.0.0/8 mapped into IPv6, as the URL parser spells it. */
const LOOPBACK_V4_IN_V6 = /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/

/** Whether what is sent to the URL's host stays on this machine; see {@link isLoopbackHost}. */
export function isLoopback(url: URL): boolean {
  // RFC 6761 section 6.3: every name under localhost is the loopback interface.
  const host = url.hostname.replace(/\.$/, '')
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    LOOPBACK_V4.test(host) ||
    LOOPBACK_V4_IN_V6.test(host)
  )
}

/**
 * Whether a host is this machine's loopback interface: 127.0.0.0/8 and `::1` in every spelling of theirs, also mapped
 * into IPv6, `localhost` and the names below it. The one place that knows; a name is never looked up.
 *
 * @param host - A name or an address, an IPv6 one with or without brackets or a zone; no port.
 */
export function isLoopbackHost(host: string): boolean {
  // Nothing that a URL takes for something other than a host: credentials, a port, a path, an encoded character.
  if (!/^[\w.-]+$|^\[?[\da-f:.]+(?:%[\w.-]+)?\]?$/i.test(host)) return false
  const bare = host.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const url = `http://${bare.includes(':') ? `[${bare}]` : bare}/`
  return URL.canParse(url) && isLoopback(new URL(url))
}

/** Whether credentials sent to the URL can be read on the way. */
export function isCleartext(url: URL): boolean {
  return url.protocol !== 'https:' && !isLoopback(url)
}

/** How {@link assertTransportSecurity} takes a URL that is not secure. */
export interface TransportSecurityOptions {
  /** `MICROMEGAS_REQUIRE_TLS`: refuse instead of warning. @defaultValue `false` */
  readonly requireTls?: boolean | undefined
  /** Where the warning goes. @defaultValue where the package's messages go */
  readonly warn?: ((message: string) => void) | undefined
}

/**
 * To be called once, at start, with the URL that credentials will be sent to. `https:` and loopback pass in silence;
 * anything else gets one warning, or an error under `requireTls`.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the URL is not secure and `requireTls` is set.
 */
export function assertTransportSecurity(url: URL, options: TransportSecurityOptions = {}): void {
  if (!isCleartext(url)) return
  if (options.requireTls === true) {
    throw new TelemetryError(
      'ERR_TELEMETRY_CONFIG',
      `Cannot send credentials to ${url.protocol}//${url.host}: MICROMEGAS_REQUIRE_TLS allows https only (or loopback)`,
    )
  }
  const warn = options.warn ?? tell
  warn(
    `micromegas: WARNING: credentials are sent unencrypted to ${url.protocol}//${url.host}: anyone on the way can read ` +
      'and use them. Use an https URL; MICROMEGAS_REQUIRE_TLS=true turns this warning into an error',
  )
}
