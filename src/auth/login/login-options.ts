import * as z from 'zod/mini'
import { tell } from '../../config/diagnostics.ts'
import { optionProblems } from '../../config/option-problems.ts'
import type { Env } from '../../config/process-env.ts'
import { proxiedFetch } from '../../http/proxy/proxied-fetch.ts'
import { isLoopback } from '../../http/transport-security.ts'
import { TelemetryError } from '../../model/errors.ts'
import type { IdentityProviderFetch } from '../oidc/oidc-options.ts'
import { isSecret, Secret } from '../secret.ts'
import { DEFAULT_SCOPE } from './issuers.ts'
import { tokenFilePath } from './tokens/token-file.ts'

/** The port is registered with the providers, as the platform's guide says. */
export const DEFAULT_REDIRECT_URI = 'http://localhost:48080/callback'
const DEFAULT_LOGIN_TIMEOUT_MS = 300_000

/** For which client of which identity provider a person logs in, and where the tokens are kept. */
export interface LoginOptions {
  /** Issuer URL: `https:`, or `http:` on loopback. A slash at the end makes no difference. */
  readonly issuer: string
  readonly clientId: string
  /** For clients of the kind *web application*; public clients have none. It is not kept in the token file. */
  readonly clientSecret?: string | Secret | undefined
  /** @defaultValue `MICROMEGAS_TOKEN_FILE`, else `~/.micromegas/tokens.json` */
  readonly tokenFile?: string | undefined
  /** Sent when set; Auth0 wants it. */
  readonly audience?: string | undefined
  /** @defaultValue `openid email profile offline_access` */
  readonly scope?: string | undefined
  /** Where the provider sends the browser back: `http:` on loopback, with a port. @defaultValue `http://localhost:48080/callback` */
  readonly redirectUri?: string | undefined
  /** Whether to open a browser, or what opens it. @defaultValue `true`, except over SSH without a display */
  readonly openBrowser?: boolean | ((url: URL) => unknown) | undefined
  /** Told the address to open, whether or not a browser is opened. @defaultValue a line on the standard error output */
  readonly onUrl?: ((url: URL) => void) | undefined
  /** How long a person may take, in milliseconds, up to an hour. @defaultValue `300_000` */
  readonly timeoutMs?: number | undefined
  /** Ends the waiting for a person. */
  readonly signal?: AbortSignal | undefined
  /** Carries the requests to the identity provider. @defaultValue Node's own HTTP client, by the proxies of the environment */
  readonly fetch?: IdentityProviderFetch | undefined
}

/** What a person has to do to log in on another device (RFC 8628). */
export interface DeviceCode {
  readonly userCode: string
  readonly verificationUri: string
  /** The address with the code in it, where the provider gives one. */
  readonly verificationUriComplete: string | undefined
  readonly expiresInSeconds: number
}

/** {@link LoginOptions} for a login with a code that is typed in on another device. */
export interface DeviceLoginOptions
  extends Omit<LoginOptions, 'redirectUri' | 'openBrowser' | 'onUrl' | 'timeoutMs'> {
  /** Shows the code and the address. @defaultValue lines on the standard error output */
  readonly onCode?: ((code: DeviceCode) => void) | undefined
}

/** Checked {@link LoginOptions} that say which client of which provider. */
export interface LoginClient {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: Secret | undefined
  readonly audience: string | undefined
  readonly scope: string
  readonly tokenFile: string
  readonly fetch: IdentityProviderFetch
}

/** Checked options of a login by browser. */
export interface BrowserLogin {
  readonly redirectUri: URL
  readonly openBrowser: boolean | ((url: URL) => unknown) | undefined
  readonly onUrl: ((url: URL) => void) | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

const text = z.string({ error: 'expected text' }).check(z.minLength(1, { error: 'is empty' }))
const issuer = text.check(z.refine(isIssuer, { error: 'expected an https URL (or http on this machine)' }))
const redirect = z.string({ error: 'expected text' }).check(
  z.refine(isRedirect, {
    error: 'expected an http URL of this machine, such as http://localhost:48080/callback',
  }),
)
const anyFunction = z.custom((value) => typeof value === 'function', { error: 'expected a function' })

const TIMEOUT_EXPECTED = 'expected a number of milliseconds up to 3600000 (an hour)'

const schema = z.strictObject({
  issuer,
  clientId: text,
  clientSecret: z.optional(z.union([text, z.custom<Secret>(isSecret)], { error: 'expected text' })),
  tokenFile: z.optional(text),
  audience: z.optional(text),
  scope: z.optional(text),
  redirectUri: z.optional(redirect),
  openBrowser: z.optional(
    z.union([z.boolean(), anyFunction], { error: 'expected true, false or a function' }),
  ),
  onUrl: z.optional(anyFunction),
  onCode: z.optional(anyFunction),
  timeoutMs: z.optional(
    z
      .number({ error: TIMEOUT_EXPECTED })
      .check(z.positive({ error: TIMEOUT_EXPECTED }), z.lte(3_600_000, { error: TIMEOUT_EXPECTED })),
  ),
  signal: z.optional(z.instanceof(AbortSignal, { error: 'expected an AbortSignal' })),
  fetch: z.optional(anyFunction),
})

/** @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` naming each option that cannot be used. */
export function resolveLoginClient(options: LoginOptions | DeviceLoginOptions, env: Env): LoginClient {
  check(options)
  const { clientSecret } = options
  return {
    issuer: options.issuer,
    clientId: options.clientId,
    clientSecret: typeof clientSecret === 'string' ? new Secret(clientSecret) : clientSecret,
    audience: options.audience,
    scope: options.scope ?? DEFAULT_SCOPE,
    tokenFile: options.tokenFile ?? tokenFilePath(env),
    fetch: options.fetch ?? proxiedFetch(env, tell),
  }
}

export function resolveBrowserLogin(options: LoginOptions): BrowserLogin {
  return {
    redirectUri: new URL(options.redirectUri ?? DEFAULT_REDIRECT_URI),
    openBrowser: options.openBrowser,
    onUrl: options.onUrl,
    timeoutMs: options.timeoutMs ?? DEFAULT_LOGIN_TIMEOUT_MS,
    signal: options.signal,
  }
}

/**
 * The login that the environment describes: `MICROMEGAS_OIDC_ISSUER`, `MICROMEGAS_OIDC_CLIENT_ID`, and, if set,
 * `MICROMEGAS_OIDC_CLIENT_SECRET`, `MICROMEGAS_OIDC_AUDIENCE`, `MICROMEGAS_OIDC_SCOPE` and `MICROMEGAS_TOKEN_FILE`.
 *
 * @returns `undefined` when issuer or client is not set.
 */
export function loginOptionsFromEnv(env: Env = process.env): LoginOptions | undefined {
  const value = (name: string): string | undefined => env[name]?.trim() || undefined
  const issuerUrl = value('MICROMEGAS_OIDC_ISSUER')
  const clientId = value('MICROMEGAS_OIDC_CLIENT_ID')
  if (issuerUrl === undefined || clientId === undefined) return undefined
  return {
    issuer: issuerUrl,
    clientId,
    clientSecret: value('MICROMEGAS_OIDC_CLIENT_SECRET'),
    audience: value('MICROMEGAS_OIDC_AUDIENCE'),
    scope: value('MICROMEGAS_OIDC_SCOPE'),
    tokenFile: tokenFilePath(env),
  }
}

function check(options: LoginOptions | DeviceLoginOptions): void {
  const parsed = schema.safeParse(options)
  if (parsed.success) return
  throw new TelemetryError(
    'ERR_TELEMETRY_CONFIG',
    `Cannot log in: ${optionProblems(parsed.error).join('; ')}`,
  )
}

function isIssuer(value: string): boolean {
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
}

function isRedirect(value: string): boolean {
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  return url.protocol === 'http:' && isLoopback(url) && url.hash === '' && url.search === ''
}
