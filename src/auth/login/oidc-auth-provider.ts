import { waitFor } from '../../http/wait-for.ts'
import type { AuthProvider } from '../auth-provider.ts'
import type { Secret } from '../secret.ts'
import { loginByBrowser } from './browser/browser-login.ts'
import { loginByDeviceCode } from './device-login.ts'
import { withFileLock } from './file-lock.ts'
import { type IdTokenClaims, readIdToken } from './id-token.ts'
import { LoginRequiredError } from './login-error.ts'
import {
  type DeviceLoginOptions,
  type LoginClient,
  type LoginOptions,
  resolveBrowserLogin,
  resolveLoginClient,
} from './login-options.ts'
import { GrantEndedError, LoginSession } from './login-session.ts'
import {
  hasFreshToken,
  isSameClient,
  readLogin,
  type StoredLogin,
  tokenFilePath,
  writeLogin,
} from './token-file.ts'

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

/** Less life than this is not worth sending a token for. */
const LAST_RESORT_MS = 10_000

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
  readonly #login: (() => Promise<StoredLogin>) | undefined
  #stored: StoredLogin
  #refreshing: Promise<void> | undefined

  private constructor(client: LoginClient, stored: StoredLogin, login?: () => Promise<StoredLogin>) {
    this.#client = client
    this.#stored = stored
    this.#login = login
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
    const stored = loginOf(client, token)
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
    const claims = this.#claims()
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
  async getToken({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    signal?.throwIfAborted()
    if (!hasFreshToken(this.#stored, Date.now())) {
      this.#refreshing ??= this.#refresh().finally(() => {
        this.#refreshing = undefined
      })
      await (signal === undefined ? this.#refreshing : waitFor(this.#refreshing, signal))
    }
    return this.#stored.token.id_token as string
  }

  /** Which login this is; no token is in it. */
  toJSON(): { readonly issuer: string; readonly clientId: string; readonly tokenFile: string } {
    const { issuer, clientId, tokenFile } = this.#client
    return { issuer, clientId, tokenFile }
  }

  #claims(): IdTokenClaims | undefined {
    const { id_token: token } = this.#stored.token
    return token === undefined ? undefined : readIdToken(token)
  }

  async #refresh(): Promise<void> {
    const { tokenFile } = this.#client
    const signal = new AbortController().signal
    try {
      await withFileLock(`${tokenFile}.lock`, signal, async () => {
        if (await this.#adopt()) return
        await this.#renew(signal)
      })
    } catch (error) {
      if (error instanceof GrantEndedError) {
        // A client that takes no lock may have refreshed at the same time, and used the token up.
        if (await this.#adopt()) return
      } else if (!(error instanceof LoginRequiredError) && this.#isUsable()) {
        return // the provider is away; the token lasts some minutes yet
      }
      if (!(error instanceof LoginRequiredError) || this.#login === undefined) throw error
      this.#stored = await this.#login()
    }
  }

  /** Takes what another process has put into the file, if it is this login and need not be refreshed. */
  async #adopt(): Promise<boolean> {
    const stored = await readLogin(this.#client.tokenFile)
    if (stored === undefined) {
      throw new LoginRequiredError(
        `Cannot refresh the login at ${this.#client.issuer}: ${this.#client.tokenFile} is gone, somebody has logged out; log in again`,
      )
    }
    if (!isSameClient(stored, this.#client.issuer, this.#client.clientId)) return false
    this.#stored = stored
    return hasFreshToken(stored, Date.now())
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { token } = this.#stored
    if (token.refresh_token === undefined) {
      throw new LoginRequiredError(
        `Cannot refresh the login at ${this.#client.issuer}: the provider gave no refresh token (the scope offline_access asks for one); log in again`,
      )
    }
    const session = await LoginSession.open(this.#client, signal)
    this.#stored = loginOf(this.#client, await session.refresh(token))
    await writeLogin(this.#client.tokenFile, this.#stored)
  }

  #isUsable(): boolean {
    const claims = this.#claims()
    return claims !== undefined && claims.exp * 1000 - Date.now() > LAST_RESORT_MS
  }
}

async function loginAndStore(client: LoginClient, options: LoginOptions): Promise<StoredLogin> {
  const stored = loginOf(client, await loginByBrowser(client, resolveBrowserLogin(options)))
  await writeLogin(client.tokenFile, stored)
  return stored
}

function loginOf(client: LoginClient, token: StoredLogin['token']): StoredLogin {
  return {
    issuer: client.issuer,
    client_id: client.clientId,
    token,
    audience: client.audience,
    scope: client.scope,
  }
}

function isPersonThere(): boolean {
  return !process.env.CI && (process.stdin.isTTY === true || process.stderr.isTTY === true)
}
