import { createHash } from 'node:crypto'
import type { JWTPayload, JWTVerifyResult, LocalJWKSet } from 'jose'
import { type AuthOutcome, type Identity, refuse, type TokenVerifier } from './identity.ts'
import { IssuerKeys, IssuerKeysUnavailable } from './issuer-keys.ts'

/** One issuer and audience; several audiences of an issuer are several of these, as on the reference server. */
export interface OidcIssuer {
  /** Exactly as the tokens' `iss`; its discovery document is read from below this URL. */
  readonly issuer: string
  /** What a token's `aud` must hold. */
  readonly audience: string
}

/** The reference server's `MICROMEGAS_OIDC_CONFIG`, with this language's names. */
export interface OidcOptions {
  readonly issuers: readonly OidcIssuer[]
  /** Age at which an issuer's keys are fetched again, in seconds, at least 1. @defaultValue `3600` */
  readonly jwksRefreshIntervalSeconds?: number | undefined
  /** Validated tokens kept; 0 validates every time. @defaultValue `1000` */
  readonly tokenCacheSize?: number | undefined
  /** Longest a validated token is trusted without another look, in seconds. @defaultValue `300` */
  readonly tokenCacheTtlSeconds?: number | undefined
}

/** {@link OidcOptions} with every default filled in. */
export interface OidcConfig {
  readonly issuers: readonly OidcIssuer[]
  readonly jwksRefreshIntervalSeconds: number
  readonly tokenCacheSize: number
  readonly tokenCacheTtlSeconds: number
}

export interface OidcVerifierOptions extends OidcConfig {
  /** Subjects or e-mail addresses with admin rights. */
  readonly admins: readonly string[]
  readonly signal: AbortSignal
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number
}

/**
 * Signatures made with a private key, and no others: with `HS256` allowed, the public key would serve as the secret. The
 * reference server takes RS256 alone.
 */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
/** Clocks of the provider and of this machine may differ by this much. */
const CLOCK_TOLERANCE_SECONDS = 5
/** A set whose tokens carry no key id: more keys than this are not tried. */
const MAX_KEYS_TRIED = 16

/** Checks JSON Web Tokens against the keys of their issuer. */
export class OidcVerifier implements TokenVerifier {
  readonly #options: OidcVerifierOptions
  readonly #issuers = new Map<string, { readonly keys: IssuerKeys; readonly audiences: string[] }>()
  readonly #cache = new Map<string, { readonly identity: Identity; readonly until: number }>()

  constructor(options: OidcVerifierOptions) {
    this.#options = options
    for (const { issuer, audience } of options.issuers) {
      const known = this.#issuers.get(issuer)
      if (known !== undefined) known.audiences.push(audience)
      else this.#issuers.set(issuer, { keys: this.#keysOf(issuer), audiences: [audience] })
    }
  }

  /** Fetches every issuer's keys; returns what could not be had. */
  async warmUp(): Promise<string[]> {
    const outcomes = await Promise.allSettled([...this.#issuers.values()].map(({ keys }) => keys.current()))
    return outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [String(outcome.reason.message)] : [],
    )
  }

  /** A warning for each issuer whose keys come over plain http from another machine. */
  plainHttpIssuers(): string[] {
    return [...this.#issuers.keys()].flatMap((issuer) => {
      const { protocol, hostname } = new URL(issuer)
      const isLocal = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
      if (protocol === 'https:' || isLocal) return []
      return [
        `the keys of ${issuer} come over plain http: whoever can change them on the way can make tokens`,
      ]
    })
  }

  async verify(token: string): Promise<AuthOutcome> {
    // The cache holds digests: a heap dump shows no token.
    const digest = createHash('sha256').update(token).digest('base64')
    const cached = this.#cached(digest)
    if (cached !== undefined) return { ok: true, identity: cached }
    const outcome = await this.#verifyNow(token)
    if (outcome.ok) this.#remember(digest, outcome.identity)
    return outcome
  }

  async #verifyNow(token: string): Promise<AuthOutcome> {
    const jose = await import('jose')
    let claimed: string | undefined
    try {
      const { alg } = jose.decodeProtectedHeader(token)
      if (alg === undefined || !ALGORITHMS.includes(alg))
        return refuse(`a token signed with ${alg} is not accepted`)
      claimed = jose.decodeJwt(token).iss
    } catch {
      return refuse('the token is no JSON Web Token')
    }
    const issuer = claimed === undefined ? undefined : this.#issuers.get(claimed)
    if (issuer === undefined) return refuse(`the token's issuer ${claimed} is not configured`)
    try {
      const keys = await issuer.keys.current()
      let verified: JWTVerifyResult
      try {
        verified = await this.#verifyWith(token, keys, claimed as string, issuer.audiences)
      } catch (error) {
        if (!(error instanceof jose.errors.JWKSNoMatchingKey)) throw error
        const newer = await issuer.keys.newerThan(keys)
        if (newer === undefined) throw error
        verified = await this.#verifyWith(token, newer, claimed as string, issuer.audiences)
      }
      return { ok: true, identity: this.#identity(verified.payload, issuer.audiences) }
    } catch (error) {
      if (error instanceof IssuerKeysUnavailable) return { ok: false, status: 503, reason: error.message }
      if (error instanceof jose.errors.JOSEError) return refuse(`the token is not valid: ${error.message}`)
      // Not the token's fault: a key of the issuer that cannot be used, such as an RSA key of 1024 bits.
      const reason = `the keys of ${claimed} cannot be used: ${error instanceof Error ? error.message : String(error)}`
      return { ok: false, status: 503, reason }
    }
  }

  async #verifyWith(
    token: string,
    keys: LocalJWKSet,
    issuer: string,
    audience: string[],
  ): Promise<JWTVerifyResult> {
    const { jwtVerify, errors } = await import('jose')
    const options = {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(this.#options.wallClock()),
      requiredClaims: ['exp', 'sub'],
    }
    try {
      return await jwtVerify(token, keys, options)
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      let tried = 0
      let last: unknown = error
      for await (const key of error) {
        if (tried++ === MAX_KEYS_TRIED) break
        try {
          return await jwtVerify(token, key, options)
        } catch (failure) {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure
          last = failure
        }
      }
      throw last
    }
  }

  #identity(claims: JWTPayload, audiences: readonly string[]): Identity {
    const granted = [claims.aud ?? []].flat()
    const subject = String(claims.sub)
    const email = firstText(claims, EMAIL_CLAIMS)
    // Only addresses that the provider vouches for make an admin: users of some providers choose their own `email`.
    const vouched =
      firstText(claims, ['verified_primary_email']) ??
      (claims.email_verified === false ? undefined : claims.email)
    const { admins } = this.#options
    return Object.freeze({
      method: 'oidc',
      subject,
      email,
      issuer: String(claims.iss),
      audience: audiences.find((audience) => granted.includes(audience)),
      expiresAtMs: Number(claims.exp) * 1000,
      admin: admins.includes(subject) || (typeof vouched === 'string' && admins.includes(vouched)),
    })
  }

  #cached(digest: string): Identity | undefined {
    const entry = this.#cache.get(digest)
    if (entry === undefined) return undefined
    const expired =
      entry.identity.expiresAtMs !== undefined && entry.identity.expiresAtMs <= this.#options.wallClock()
    if (!expired && this.#options.clock() < entry.until) return entry.identity
    this.#cache.delete(digest)
    return undefined
  }

  #remember(digest: string, identity: Identity): void {
    const { tokenCacheSize, tokenCacheTtlSeconds, clock } = this.#options
    if (tokenCacheSize === 0) return
    if (this.#cache.size >= tokenCacheSize) {
      const oldest = this.#cache.keys().next()
      if (oldest.done !== true) this.#cache.delete(oldest.value)
    }
    this.#cache.set(digest, { identity, until: clock() + tokenCacheTtlSeconds * 1000 })
  }

  #keysOf(issuer: string): IssuerKeys {
    const { jwksRefreshIntervalSeconds, signal, clock } = this.#options
    return new IssuerKeys({ issuer, refreshIntervalMs: jwksRefreshIntervalSeconds * 1000, signal, clock })
  }
}

/** Where providers put an e-mail address, best first; the reference server's order. */
const EMAIL_CLAIMS = [
  'verified_primary_email',
  'email',
  'https://micromegas.io/email',
  'preferred_username',
  'upn',
  'unique_name',
]

function firstText(claims: JWTPayload, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = claims[name]
    if (typeof value === 'string') return value
  }
  return undefined
}
