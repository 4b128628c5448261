/** Who sent a request. */
export interface Identity {
  /** `none` when the server runs with authentication disabled. */
  readonly method: 'api_key' | 'oidc' | 'none'
  /** Name of the API key, or the token's `sub`. */
  readonly subject: string
  readonly email: string | undefined
  /** The token's issuer; `api_key` for API keys. */
  readonly issuer: string
  /** The configured audience that the token was issued for. */
  readonly audience: string | undefined
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number | undefined
  /**
   * May delete data and use administrative functions. API keys never are; everyone is when authentication is disabled, or
   * when the operator says that callers are admins.
   */
  readonly admin: boolean
}

/** What became of a credential. `reason` is for the server's console, never for the client. */
export type AuthOutcome =
  | { readonly ok: true; readonly identity: Identity }
  /** 401: refused. 503: cannot be judged now, because the issuer's keys cannot be had. */
  | { readonly ok: false; readonly status: 401 | 503; readonly reason: string }

/** Judges one kind of bearer token. */
export interface TokenVerifier {
  verify(token: string): AuthOutcome | Promise<AuthOutcome>
}

export const ANONYMOUS: Identity = Object.freeze({
  method: 'none',
  subject: 'anonymous',
  email: undefined,
  issuer: 'none',
  audience: undefined,
  expiresAtMs: undefined,
  admin: true,
})

export function refuse(reason: string): AuthOutcome {
  return { ok: false, status: 401, reason }
}

const MAX_SHOWN = 100

/** A value that a client sent, short enough for a message. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}
