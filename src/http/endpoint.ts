import { TelemetryError } from '../model/errors.ts'

/** What is inserted, and with it the path under the base URL. */
export type InsertKind = 'process' | 'stream' | 'block'

/** The ingestion service as one sink addresses it. */
export interface Endpoint {
  /** Scheme, host and base path without a trailing slash: fit for messages, it holds no secret. */
  readonly label: string
  /** Scheme, host and port. */
  readonly origin: string
  /** `{base}/ingestion/insert_{kind}`. Shared: not to be changed. */
  readonly insertUrls: Readonly<Record<InsertKind, URL>>
}

/**
 * Reads the base URL of an ingestion service. The path is kept and trailing slashes are trimmed: the service answers 404
 * to `//ingestion`, which would lose everything.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` unless the URL is an absolute http or https one without
 * credentials, query and fragment. The message repeats none of these, they may hold a secret.
 */
export function resolveEndpoint(url: string | URL): Endpoint {
  const base = parse(String(url).trim())
  if (base.protocol !== 'http:' && base.protocol !== 'https:') {
    throw unusable(`it begins with ${base.protocol}, expected http:// or https://`)
  }
  if (base.username !== '' || base.password !== '') {
    // Sent nowhere by the transport: accepting them would look like authentication and be none.
    throw unusable('it holds credentials; give the sink a request decorator instead')
  }
  if (base.search !== '' || base.hash !== '') throw unusable('it has a query or a fragment')
  const label = base.origin + base.pathname.replace(/\/+$/, '')
  const insert = (kind: InsertKind): URL => new URL(`${label}/ingestion/insert_${kind}`)
  return {
    label,
    origin: base.origin,
    insertUrls: { process: insert('process'), stream: insert('stream'), block: insert('block') },
  }
}

function parse(text: string): URL {
  try {
    return new URL(text)
  } catch {
    // Neither the text nor the parser's error, which repeats it: a mistyped URL may hold a password.
    throw unusable(
      text === ''
        ? 'it is empty'
        : 'it is no absolute URL such as http://localhost:9000, with a port up to 65535',
    )
  }
}

function unusable(why: string): TelemetryError {
  return new TelemetryError('ERR_TELEMETRY_CONFIG', `Cannot use the telemetry URL: ${why}`)
}
