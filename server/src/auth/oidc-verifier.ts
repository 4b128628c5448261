import { createHash } from 'node:crypto'
import type { JWTPayload, JWTVerifyResult, LocalJWKSet } from 'jose'
import { isLoopbackHost } from 'micromegas/wire'
import { type Admin, ambiguousAdmins, isAdmin, vouchedEmails } from './admins.ts'
import { type AuthOutcome, type Identity, refuse, shown, type TokenVerifier } from './identity.ts'
import { type IssuerFetch, IssuerKeys, IssuerKeysUnavailable } from './issuer-keys.ts'
import { ALGORITHMS, claimsProblem, headerProblem, MAX_TOKEN_LENGTH } from './token-rules.ts'

/** One issuer and audience; several audiences of an issuer are several of these, as on the reference server. */
export interface OidcIssuer {
  /** Exactly as the tokens' `iss`; its discovery document is read from below this URL. */
  readonly issuer: string
  /** What a token's `aud` must hold. */
  readonly audience: string
  /**
   * True counts an address in `email` as verified where a token has no `email_verified`: for an issuer whose users cannot
   * choose their addresses. It matters for admins only, and is the same for all audiences of an issuer.
   * @defaultValue `false`
   */
  readonly trustEmail?: boolean | undefined
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
  readonly admins: readonly Admin[]
  /** Gets a line about keys that are passed over. */
  readonly warn: (message: string) => void
  /** Carries the requests to the issuers. */
  readonly fetch: IssuerFetch
  readonly signal: AbortSignal
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number
}

/** Clocks of the provider and of this machine may differ by this much. */
const CLOCK_TOLERANCE_SECONDS = 5
/** A set whose tokens carry no key id: more keys than this are not tried. */
const MAX_KEYS_TRIED = 16

interface Issuer {
  readonly keys: IssuerKeys
  readonly audiences: string[]
  readonly trustEmail: boolean
}

/** Checks JSON Web Tokens against the keys of their issuer. */
export class OidcVerifier implements TokenVerifier {
  readonly #options: OidcVerifierOptions
  readonly #issuers = new Map<string, Issuer>()
  readonly #cache = new Map<string, { readonly identity: Identity; readonly until: number }>()

  constructor(options: OidcVerifierOptions) {
    this.#options = options
    for (const { issuer, audience, trustEmail = false } of options.issuers) {
      const known = this.#issuers.get(issuer)
      if (known !== undefined) known.audiences.push(audience)
      else this.#issuers.set(issuer, { keys: this.#keysOf(issuer), audiences: [audience], trustEmail })
    }
  }

  /** Fetches every issuer's keys; returns what could not be had. */
  async warmUp(): Promise<string[]> {
    const outcomes = await Promise.allSettled([...this.#issuers.values()].map(({ keys }) => keys.current()))
    return outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [String(outcome.reason.message)] : [],
    )
  }

  /** What an operator should know of the configuration. */
  risks(): string[] {
    const issuers = [...this.#issuers.keys()]
    const ambiguous = ambiguousAdmins(this.#options.admins, issuers)
    const plain = issuers.filter((issuer) => {
      const { protocol, hostname } = new URL(issuer)
      return protocol !== 'https:' && !isLoopbackHost(hostname)
    })
    return [
      ...(ambiguous === undefined ? [] : [ambiguous]),
      ...plain.map(
        (issuer) =>
          `the keys of ${issuer} come over plain http: whoever can change them on the way can make tokens`,
      ),
    ]
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
    if (token.length > MAX_TOKEN_LENGTH) return refuse(`a token of ${token.length} bytes is too long`)
    const jose = await import('jose')
    let claimed: unknown
    try {
      const problem = headerProblem({ ...jose.decodeProtectedHeader(token) })
      if (problem !== undefined) return refuse(problem)
      claimed = jose.decodeJwt(token).iss
    } catch {
      return refuse('the token is no JSON Web Token')
    }
    const issuer = typeof claimed === 'string' ? this.#issuers.get(claimed) : undefined
    if (typeof claimed !== 'string' || issuer === undefined)
      return refuse(`the token's issuer ${shown(claimed)} is not configured`)
    try {
      const keys = await issuer.keys.current()
      let verified: JWTVerifyResult
      try {
        verified = await this.#verifyWith(token, keys, claimed, issuer.audiences)
      } catch (error) {
        if (!(error instanceof jose.errors.JWKSNoMatchingKey)) throw error
        const newer = await issuer.keys.newerThan(keys)
        if (newer === undefined) throw error
        verified = await this.#verifyWith(token, newer, claimed, issuer.audiences)
      }
      const problem = claimsProblem(verified.payload)
      if (problem !== undefined) return refuse(`the token is not valid: ${problem}`)
      return { ok: true, identity: this.#identity(verified.payload, issuer) }
    } catch (error) {
      if (error instanceof IssuerKeysUnavailable) return { ok: false, status: 503, reason: error.message }
      if (error instanceof jose.errors.JOSEError) return refuse(`the token is not valid: ${error.message}`)
      // Keys were tried when they came, and the token was read: neither can be what is wrong.
      const reason = error instanceof Error ? error.message : String(error)
      return { ok: false, status: 503, reason: `cannot check a token of ${claimed}: ${reason}` }
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
      algorithms: [...ALGORITHMS],
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

  #identity(claims: JWTPayload, { audiences, trustEmail }: Issuer): Identity {
    const granted = [claims.aud].flat()
    const [issuer, subject] = [String(claims.iss), String(claims.sub)]
    const emails = vouchedEmails(claims, trustEmail)
    return Object.freeze({
      method: 'oidc',
      subject,
      email: emails[0] ?? firstText(claims, EMAIL_CLAIMS),
      issuer,
      audience: audiences.find((audience) => granted.includes(audience)),
      expiresAtMs: Number(claims.exp) * 1000,
      admin: isAdmin(this.#options.admins, { issuer, subject, emails }),
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
    const { jwksRefreshIntervalSeconds, fetch, signal, clock, warn } = this.#options
    const refreshIntervalMs = jwksRefreshIntervalSeconds * 1000
    return new IssuerKeys({ issuer, refreshIntervalMs, fetch, signal, clock, warn })
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
