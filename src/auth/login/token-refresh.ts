import { waitFor } from '../../http/wait-for.ts'
import { LoginRequiredError } from './login-error.ts'
import type { LoginClient } from './login-options.ts'
import { GrantEndedError, LoginSession } from './login-session.ts'
import { withFileLock } from './tokens/file-lock.ts'
import { type IdTokenClaims, readIdToken } from './tokens/id-token.ts'
import { hasFreshToken, isSameClient, readLogin, type StoredLogin, writeLogin } from './tokens/token-file.ts'

/** Less life than this is not worth sending a token for. */
const LAST_RESORT_MS = 10_000

/**
 * The tokens of a person's login, refreshed before they expire: once for all who wait in this process, and once for all
 * processes that share the token file.
 */
export class TokenRefresh {
  readonly #client: LoginClient
  readonly #login: (() => Promise<StoredLogin>) | undefined
  #stored: StoredLogin
  #refreshing: Promise<void> | undefined

  /** @param login - Logs the person in again when the login has ended; without it nobody is there. */
  constructor(client: LoginClient, stored: StoredLogin, login?: () => Promise<StoredLogin>) {
    this.#client = client
    this.#stored = stored
    this.#login = login
  }

  /** What the ID token says, expired or not. */
  get claims(): IdTokenClaims | undefined {
    const { id_token: token } = this.#stored.token
    return token === undefined ? undefined : readIdToken(token)
  }

  /** The ID token; waits only where it has to be refreshed. */
  async idToken(signal: AbortSignal | undefined): Promise<string> {
    signal?.throwIfAborted()
    if (!hasFreshToken(this.#stored, Date.now())) {
      this.#refreshing ??= this.#refresh().finally(() => {
        this.#refreshing = undefined
      })
      await (signal === undefined ? this.#refreshing : waitFor(this.#refreshing, signal))
    }
    return this.#stored.token.id_token as string
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
    this.#stored = storedLoginOf(this.#client, await session.refresh(token))
    await writeLogin(this.#client.tokenFile, this.#stored)
  }

  #isUsable(): boolean {
    const { claims } = this
    return claims !== undefined && claims.exp * 1000 - Date.now() > LAST_RESORT_MS
  }
}

/** What the token file holds of a login. */
export function storedLoginOf(client: LoginClient, token: StoredLogin['token']): StoredLogin {
  return {
    issuer: client.issuer,
    client_id: client.clientId,
    token,
    audience: client.audience,
    scope: client.scope,
  }
}
