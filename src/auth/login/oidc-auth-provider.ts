import type { AuthProvider } from '../auth-provider.ts'
import type { Secret } from '../secret.ts'
import { loginByBrowser } from './browser/browser-login.ts'
import { loginByDeviceCode } from './device-login.ts'
import { LoginRequiredError } from './login-error.ts'
import {
  type DeviceLoginOptions,
  type LoginClient,
  type LoginOptions,
  resolveBrowserLogin,
  resolveLoginClient,
} from './login-options.ts'
import { storedLoginOf, TokenRefresh } from './token-refresh.ts'
import { isSameClient, readLogin, type StoredLogin, tokenFilePath, writeLogin } from './tokens/token-file.ts'

/** Who is logged in. */
export interface LoggedInUser {
  /** The provider's name for the user. */
  readonly sub: string
  readonly email: string | undefined
  readonly name: string | undefined
  /** When the ID token expires; it is refreshed before. */
  readonly expiresAt: Date
}

/** {@link LoginOptions} for a login that is only asked for where it is needed. */
export interface LoadOrLoginOptions extends LoginOptions {
  /**
   * Whether a person is there to log in. @defaultValue true if the standard input or error output is a terminal and
   * `CI` is not set
   */
  readonly interactive?: boolean | undefined
}

/** What {@link OidcAuthProvider.fromFile} cannot find in a token file. */
export interface FromFileOptions {
  /** For clients that have one: it is never in the file. */
  readonly clientSecret?: string | Secret | undefined
  /** @defaultValue the scope in the file, or `openid email profile offline_access` */
  readonly scope?: string | undefined
  /** Carries the requests to the identity provider. @defaultValue Node's own HTTP client, by the proxies of the environment */
  readonly fetch?: LoginOptions['fetch']
}

/**
 * The token of a person who has logged in, refreshed before it expires: once for all who wait in this process, and once
 * for all processes that share the token file.
 *
 * @example
 * ```ts
 * const auth = await OidcAuthProvider.loadOrLogin({ issuer: 'https://login.example.com', clientId: 'micromegas-cli' })
 * const token = await auth.getToken()
 * ```
 */
export class OidcAuthProvider implements AuthProvider {
  readonly #client: LoginClient
  readonly #tokens: TokenRefresh

  private constructor(client: LoginClient, stored: StoredLogin, login?: () => Promise<StoredLogin>) {
    this.#client = client
    this.#tokens = new TokenRefresh(client, stored, login)
  }

  /**
   * Logs a person in by their browser and keeps the tokens in the token file.
   *
   * @throws {@link LoginRequiredError} when the provider or the person says no, or nobody comes in time;
   * {@link TelemetryError} `ERR_TELEMETRY_CONFIG` for options that cannot be used and a port that is taken;
   * {@link CredentialsUnavailableError} when the provider cannot be reached.
   */
  static async login(options: LoginOptions): Promise<OidcAuthProvider> {
    const client = resolveLoginClient(options, process.env)
    return new OidcAuthProvider(client, await loginAndStore(client, options))
  }

  /**
   * Logs a person in by a code that they enter on another device, and keeps the tokens in the token file.
   *
   * @throws as {@link OidcAuthProvider.login}.
   */
  static async loginWithDeviceCode(options: DeviceLoginOptions): Promise<OidcAuthProvider> {
    const client = resolveLoginClient(options, process.env)
    const signal = options.signal ?? new AbortController().signal
    const token = await loginByDeviceCode(client, options.onCode, signal)
    const stored = storedLoginOf(client, token)
    await writeLogin(client.tokenFile, stored)
    return new OidcAuthProvider(client, stored)
  }

  /**
   * Takes the login that a token file holds.
   *
   * @param tokenFile - @defaultValue `MICROMEGAS_TOKEN_FILE`, else `~/.micromegas/tokens.json`
   * @throws {@link LoginRequiredError} when there is no such file.
   */
  static async fromFile(tokenFile?: string, options: FromFileOptions = {}): Promise<OidcAuthProvider> {
    const path = tokenFile ?? tokenFilePath(process.env)
    const stored = await readLogin(path)
    if (stored === undefined) {
      throw new LoginRequiredError(`Cannot read the login in ${path}: there is no such file; log in first`)
    }
    const client = resolveLoginClient(
      {
        issuer: stored.issuer,
        clientId: stored.client_id,
        audience: stored.audience,
        tokenFile: path,
        ...options,
        scope: options.scope ?? stored.scope,
      },
      process.env,
    )
    return new OidcAuthProvider(client, stored)
  }

  /**
   * Takes the login in the token file if it is for the same client of the same issuer and can still be refreshed; else
   * logs a person in, if one is there.
   *
   * @throws {@link LoginRequiredError} when a login is needed and nobody is there; else as {@link OidcAuthProvider.login}.
   */
  static async loadOrLogin(options: LoadOrLoginOptions): Promise<OidcAuthProvider> {
    const { interactive = isPersonThere(), ...login } = options
    const client = resolveLoginClient(login, process.env)
    const again = interactive ? () => loginAndStore(client, login) : undefined
    const stored = await readLogin(client.tokenFile)
    if (stored !== undefined && isSameClient(stored, client.issuer, client.clientId)) {
      const provider = new OidcAuthProvider(client, stored, again)
      await provider.getToken({ signal: options.signal })
      return provider
    }
    if (again === undefined) {
      const state =
        stored === undefined ? 'nobody has logged in' : `${client.tokenFile} is for another client or issuer`
      throw new LoginRequiredError(
        `Cannot use the login at ${client.issuer}: ${state}, and there is no terminal to log in from; log in with \`micromegas login\``,
      )
    }
    return new OidcAuthProvider(client, await again(), again)
  }

  /** Who is logged in. */
  get user(): LoggedInUser {
    const { claims } = this.#tokens
    return {
      sub: claims?.sub ?? '',
      email: claims?.email,
      name: claims?.name,
      expiresAt: new Date((claims?.exp ?? 0) * 1000),
    }
  }

  /** Where the login is kept. */
  get tokenFile(): string {
    return this.#client.tokenFile
  }

  /**
   * The ID token, as Micromegas servers want it. It is refreshed five minutes before it expires; only then does this wait.
   *
   * @param options.signal - Ends the waiting of this caller.
   * @throws {@link LoginRequiredError} when the login has ended and nobody is there to log in again;
   * {@link CredentialsUnavailableError} when the provider cannot be reached and the token has expired.
   */
  getToken(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    return this.#tokens.idToken(options.signal)
  }

  /** Which login this is; no token is in it. */
  toJSON(): { readonly issuer: string; readonly clientId: string; readonly tokenFile: string } {
    const { issuer, clientId, tokenFile } = this.#client
    return { issuer, clientId, tokenFile }
  }
}

async function loginAndStore(client: LoginClient, options: LoginOptions): Promise<StoredLogin> {
  const stored = storedLoginOf(client, await loginByBrowser(client, resolveBrowserLogin(options)))
  await writeLogin(client.tokenFile, stored)
  return stored
}

function isPersonThere(): boolean {
  return !process.env.CI && (process.stdin.isTTY === true || process.stderr.isTTY === true)
}
