import type { IncomingMessage } from 'node:http'
import { isLoopbackHost } from 'micromegas/wire'

/**
 * Why a request to a server without authentication is refused. Any web page can have the browser of a developer send
 * requests to this machine, and read the answers once it has given a name of its own the address 127.0.0.1. Services and
 * command lines send none of the headers that give a page away.
 *
 * @param isLoopback - Whether the server listens on the loopback interface only: nobody has a name for it then.
 */
export function foreignReason(request: IncomingMessage, isLoopback: boolean): string | undefined {
  const { 'sec-fetch-site': site, origin } = request.headers
  const hosts = hostsOf(request)
  // https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header; `none` is a person's own doing.
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return 'a web page of another site sent it (Sec-Fetch-Site)'
  if (origin !== undefined && !hosts.every((host) => isSameHost(origin, host)))
    return 'a web page of another origin sent it (Origin)'
  if (isLoopback && !hosts.every((host) => isNobodys(nameOf(host))))
    return 'it asks for this machine by a name that is not its own (Host)'
  return undefined
}

/** The hosts that a request names, in lower case: none with HTTP/1.0. Node keeps only the first of several. */
function hostsOf({ rawHeaders, url = '' }: IncomingMessage): string[] {
  const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'host')
  // RFC 9112, section 3.2.2: the target of a request counts over the header.
  const [, target] = /^https?:\/\/([^/?#]*)/i.exec(url) ?? []
  return (target === undefined ? hosts : [...hosts, target]).map((host) => host.trim().toLowerCase())
}

function isSameHost(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false // `null`: a sandboxed frame, a file
  const { protocol, host: own } = new URL(origin)
  const asked = `${protocol}//${host}`
  return own !== '' && URL.canParse(asked) && new URL(asked).host === own
}

/**
 * Whether nobody can have registered the name, and so cannot give it an address: an address itself, a name without a dot,
 * or one below a domain that the internet does not have (RFC 6761, `internal` by ICANN's resolution of 29 July 2024), such
 * as `host.docker.internal`.
 */
function isNobodys(name: string): boolean {
  if (isLoopbackHost(name) || /^\[[\da-f:.]+\]$|^\d{1,3}(\.\d{1,3}){3}$/.test(name)) return true
  return /^[\w-]*$/.test(name) || /^[\w.-]+\.(internal|test)$/.test(name)
}

function nameOf(host: string): string {
  return host.replace(/:\d*$/, '')
}
