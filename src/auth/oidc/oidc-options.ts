import { isLoopback } from '../../http/transport-security.ts'
import { optionNames, type SettingNames } from '../config-error.ts'
import { isSecret, Secret } from '../secret.ts'
import { trimSecretText } from '../secret-file.ts'

/** How a client secret is presented (RFC 6749 section 2.3.1): in the form, or in a Basic header. */
export type OidcAuthMethod = 'client_secret_post' | 'client_secret_basic'

/** What a request to the identity provider looks like to {@link IdentityProviderFetch}. */
export interface IdentityProviderRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string | null
  /** Always `manual`: credentials must not follow a redirect. */
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}

/** What {@link IdentityProviderFetch} answers: the part of a `fetch` response that is read. */
export interface IdentityProviderResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
}

/** A `fetch` for the requests to the identity provider: a proxy, a private certificate authority. */
export type IdentityProviderFetch = (
  url: string,
  request: IdentityProviderRequest,
) => Promise<IdentityProviderResponse>

/** OAuth 2.0 client credentials grant (RFC 6749 section 4.4). */
export interface OidcClientCredentialsOptions {
  /** URL of the token endpoint; `https:`, or `http:` on loopback. Needed unless {@link issuer} is given. */
  readonly tokenEndpoint?: string | URL | undefined
  /**
   * Issuer URL. Without a token endpoint it is asked where that is (OpenID Connect discovery); with one it is only the
   * audience of a signed client assertion.
   */
  readonly issuer?: string | URL | undefined
  readonly clientId: string
  /** One of the four ways for the client to prove itself is needed: this, or one of the three files. */
  readonly clientSecret?: string | Secret | undefined
  /** File with the client secret. Files are read again for every token, so that rotation needs no restart. */
  readonly clientSecretFile?: string | undefined
  /** File with a signed JWT (RFC 7523) that somebody else renews, such as a Kubernetes projected token. */
  readonly clientAssertionFile?: string | undefined
  /** File with a private key that signs client assertions: PEM (RSA, EC, Ed25519; not encrypted) or a JWK. */
  readonly privateKeyFile?: string | undefined
  /** The `kid` by which the provider knows the private key. @defaultValue the JWK's own, or none */
  readonly privateKeyId?: string | undefined
  /** Applies to a client secret. @defaultValue `'client_secret_post'` */
  readonly authMethod?: OidcAuthMethod | undefined
  /** Sent when set. Entra ID and Okta want it. */
  readonly scope?: string | undefined
  /** Sent when set. Auth0 wants it. */
  readonly audience?: string | undefined
  /** Resource indicator (RFC 8707), sent when set: an absolute URI without a fragment. */
  readonly resource?: string | undefined
  /**
   * A token is renewed this many seconds before it expires, at least 0; a fifth of the token's life at most.
   * @defaultValue `180`
   */
  readonly tokenBufferSeconds?: number | undefined
  /** Limit of one request to the identity provider, in milliseconds, at most 600 000. @defaultValue `10_000` */
  readonly requestTimeoutMs?: number | undefined
  /**
   * How long a provider that refused the client is left alone, in milliseconds, give or take a fifth; a day at most.
   * @defaultValue `300_000`
   */
  readonly refusedRetryMs?: number | undefined
  /** @defaultValue Node's own HTTP client, by the proxies of the environment */
  readonly fetch?: IdentityProviderFetch | undefined
  /** Takes the few lines that are said about a refusing provider and its recovery. @defaultValue where the package's messages go */
  readonly warn?: ((message: string) => void) | undefined
  /** Monotonic clock in milliseconds. @defaultValue `performance.now()` */
  readonly now?: (() => number) | undefined
  /** Uniform in [0, 1), for jitter. @defaultValue `Math.random()` */
  readonly random?: (() => number) | undefined
}

/** How the client proves itself, before any file is read. */
export type OidcProof =
  | { readonly kind: 'secret'; readonly secret: Secret; readonly method: OidcAuthMethod }
  | { readonly kind: 'secret-file'; readonly path: string; readonly method: OidcAuthMethod }
  | { readonly kind: 'assertion-file'; readonly path: string }
  | { readonly kind: 'private-key-file'; readonly path: string; readonly keyId: string | undefined }

/** Absolute URLs as they were given: an issuer is compared letter by letter, and the URL parser would add a slash. */
export type OidcProvider =
  | { readonly tokenEndpoint: string; readonly issuer: string | undefined }
  | { readonly tokenEndpoint: undefined; readonly issuer: string }

/** Checked {@link OidcClientCredentialsOptions} with every default in place. */
export interface OidcConfig {
  readonly provider: OidcProvider
  readonly clientId: string
  readonly proof: OidcProof
  /** Of `scope`, `audience` and `resource`, those that are sent. */
  readonly parameters: Readonly<Record<string, string>>
  readonly tokenBufferMs: number
  readonly requestTimeoutMs: number
  readonly refusedRetryMs: number
}

const DEFAULT_TOKEN_BUFFER_SECONDS = 180
const DEFAULT_REQUEST_TIMEOUT_MS = 10_000
const DEFAULT_REFUSED_RETRY_MS = 300_000
const MAX_TOKEN_BUFFER_SECONDS = 1_000_000_000
const MAX_REQUEST_TIMEOUT_MS = 600_000
const MAX_REFUSED_RETRY_MS = 24 * 3_600_000

const PROOFS = ['clientSecret', 'clientSecretFile', 'clientAssertionFile', 'privateKeyFile'] as const

const KNOWN_OPTIONS: ReadonlySet<string> = new Set<keyof OidcClientCredentialsOptions>([
  ...PROOFS,
  'tokenEndpoint',
  'issuer',
  'clientId',
  'privateKeyId',
  'authMethod',
  'scope',
  'audience',
  'resource',
  'tokenBufferSeconds',
  'requestTimeoutMs',
  'refusedRetryMs',
  'fetch',
  'warn',
  'now',
  'random',
])

/** What is wrong with a client secret, without quoting it. */
export function clientSecretProblem(secret: string): string | undefined {
  if (secret.trim() === '') return 'is empty'
  if (/\p{Cc}/u.test(secret)) return 'has control characters, such as a line break'
  return undefined
}

/** An unset option; blank text counts, since templates render missing values so. */
function isUnset(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value.trim() === '')
}

/**
 * Checks the options, all of them, and puts the defaults in.
 *
 * @param names - What the settings are called in the problems.
 * @returns The config, or what is wrong, one sentence a problem. Problems never quote a value.
 */
export function resolveOidcOptions(
  options: OidcClientCredentialsOptions,
  names: SettingNames = optionNames,
): { readonly config: OidcConfig } | { readonly problems: readonly string[] } {
  const problems: string[] = []
  for (const key of Object.keys(options)) {
    if (!KNOWN_OPTIONS.has(key)) problems.push(`${key}: no such option`)
  }
  const text = (key: keyof OidcClientCredentialsOptions): string | undefined => {
    const value = options[key]
    if (isUnset(value)) return undefined
    if (typeof value === 'string') return value.trim()
    problems.push(`${names(key)}: expected text`)
    return undefined
  }
  const number = (
    key: 'tokenBufferSeconds' | 'requestTimeoutMs' | 'refusedRetryMs',
    [min, max]: readonly [number, number],
    fallback: number,
  ): number => {
    const value = options[key]
    if (value === undefined) return fallback
    if (typeof value === 'number' && value >= min && value <= max) return value
    problems.push(`${names(key)}: expected a number from ${min} to ${max}`)
    return fallback
  }

  const tokenEndpoint = readUrl('tokenEndpoint', options.tokenEndpoint, names, problems)
  const issuer = readUrl('issuer', options.issuer, names, problems)
  if (isUnset(options.tokenEndpoint) && isUnset(options.issuer)) {
    problems.push(`${names('tokenEndpoint')} (or ${names('issuer')}) is missing`)
  }
  const clientId = text('clientId')
  if (isUnset(options.clientId)) problems.push(`${names('clientId')} is missing`)
  const proof = readProof(options, text, names, problems)
  const resource = text('resource')
  if (resource !== undefined && (!URL.canParse(resource) || resource.includes('#'))) {
    problems.push(`${names('resource')}: expected an absolute URI without a fragment`)
  }
  const sent = { scope: text('scope'), audience: text('audience'), resource }
  const tokenBufferSeconds = number(
    'tokenBufferSeconds',
    [0, MAX_TOKEN_BUFFER_SECONDS],
    DEFAULT_TOKEN_BUFFER_SECONDS,
  )
  const requestTimeoutMs = number('requestTimeoutMs', [1, MAX_REQUEST_TIMEOUT_MS], DEFAULT_REQUEST_TIMEOUT_MS)
  const refusedRetryMs = number('refusedRetryMs', [1, MAX_REFUSED_RETRY_MS], DEFAULT_REFUSED_RETRY_MS)

  const provider = providerOf(tokenEndpoint, issuer)
  if (problems.length > 0 || provider === undefined || clientId === undefined || proof === undefined) {
    return { problems }
  }
  const config: OidcConfig = {
    provider,
    clientId,
    proof,
    parameters: Object.fromEntries(
      Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    tokenBufferMs: tokenBufferSeconds * 1000,
    requestTimeoutMs,
    refusedRetryMs,
  }
  return { config: Object.freeze(config) }
}

function readUrl(
  key: 'tokenEndpoint' | 'issuer',
  value: string | URL | undefined,
  names: SettingNames,
  problems: string[],
): string | undefined {
  if (isUnset(value)) return undefined
  const text = String(value).trim()
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    problems.push(`${names(key)}: expected an https URL`)
    return undefined
  }
  if (url.username !== '' || url.password !== '') {
    problems.push(`${names(key)}: expected a URL without user name and password`)
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    problems.push(
      `${names(key)}: expected an https URL: plain http would show the credentials (allowed on loopback only)`,
    )
  }
  return text
}

function providerOf(tokenEndpoint: string | undefined, issuer: string | undefined): OidcProvider | undefined {
  if (tokenEndpoint !== undefined) return { tokenEndpoint, issuer }
  return issuer === undefined ? undefined : { tokenEndpoint, issuer }
}

function readProof(
  options: OidcClientCredentialsOptions,
  text: (key: keyof OidcClientCredentialsOptions) => string | undefined,
  names: SettingNames,
  problems: string[],
): OidcProof | undefined {
  const given = PROOFS.filter((key) => !isUnset(options[key]))
  const method = text('authMethod') ?? 'client_secret_post'
  const knownMethod = method === 'client_secret_post' || method === 'client_secret_basic'
  if (!knownMethod)
    problems.push(`${names('authMethod')}: expected client_secret_post or client_secret_basic`)
  const keyId = text('privateKeyId')
  if (keyId !== undefined && !given.includes('privateKeyFile')) {
    problems.push(`${names('privateKeyId')} needs ${names('privateKeyFile')}`)
  }
  const [way, another] = given
  if (way === undefined) {
    problems.push(`${names('clientSecret')} (or ${PROOFS.slice(1).map(names).join(', ')}) is missing`)
    return undefined
  }
  if (another !== undefined) {
    problems.push(`set only one of ${given.map(names).join(', ')}`)
    return undefined
  }
  if (way !== 'clientSecret' && way !== 'clientSecretFile' && !isUnset(options.authMethod)) {
    problems.push(`${names('authMethod')} applies to a client secret only, not to ${names(way)}`)
  }
  const authMethod = knownMethod ? method : 'client_secret_post'
  if (way === 'clientSecret') return readSecret(options.clientSecret, authMethod, names, problems)
  const path = text(way)
  if (path === undefined) return undefined
  if (way === 'clientSecretFile') return { kind: 'secret-file', path, method: authMethod }
  if (way === 'clientAssertionFile') return { kind: 'assertion-file', path }
  return { kind: 'private-key-file', path, keyId }
}

function readSecret(
  value: string | Secret | undefined,
  method: OidcAuthMethod,
  names: SettingNames,
  problems: string[],
): OidcProof | undefined {
  if (typeof value !== 'string' && !isSecret(value)) {
    problems.push(`${names('clientSecret')}: expected text`)
    return undefined
  }
  // `kubectl create secret` from a file, or `echo` without -n, leaves a newline that no provider would accept.
  const secret = trimSecretText(typeof value === 'string' ? value : value.reveal())
  const problem = clientSecretProblem(secret)
  if (problem !== undefined) problems.push(`${names('clientSecret')} ${problem}`)
  return { kind: 'secret', secret: new Secret(secret), method }
}
