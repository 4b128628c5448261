import { ANONYMOUS, type AuthOutcome, type Identity, refuse, type TokenVerifier } from './identity.ts'

/** Says who a request comes from. One for each door, whatever that speaks: HTTP hands over the header, gRPC the metadata. */
export interface Authenticator {
  /** @param authorization - The text behind `authorization`; `undefined` when there is none. */
  authenticate(authorization: string | undefined): Promise<AuthOutcome>
}

/** What a client is told, and no more; a gRPC status has the same words in lower case, as on the reference server. */
export const AUTH_ANSWERS: Readonly<Record<401 | 503, string>> = {
  401: 'Invalid token',
  503: 'Auth provider unavailable',
}

const BEARER_PREFIX = 'Bearer '

/** Takes everyone for an admin. */
export const noAuthenticator: Authenticator = {
  authenticate: async () => ({ ok: true, identity: ANONYMOUS }),
}

/**
 * Judges a bearer token by each verifier in turn. The prefix is matched literally, as the reference server does. A token
 * that one verifier refuses while another cannot be asked counts as "cannot be judged now".
 */
export class BearerAuthenticator implements Authenticator {
  readonly #verifiers: readonly TokenVerifier[]
  readonly #callersAreAdmins: boolean

  constructor(verifiers: readonly TokenVerifier[], callersAreAdmins: boolean) {
    this.#verifiers = verifiers
    this.#callersAreAdmins = callersAreAdmins
  }

  async authenticate(authorization: string | undefined): Promise<AuthOutcome> {
    if (authorization === undefined) return refuse('no Authorization header')
    if (!authorization.startsWith(BEARER_PREFIX))
      return refuse('the Authorization header does not start with "Bearer "')
    const token = authorization.slice(BEARER_PREFIX.length)
    if (token === '') return refuse('the bearer token is empty')
    let unavailable: AuthOutcome | undefined
    const reasons: string[] = []
    for (const verifier of this.#verifiers) {
      const outcome = await verifier.verify(token)
      if (outcome.ok) return { ok: true, identity: this.#withRights(outcome.identity) }
      if (outcome.status === 503) unavailable ??= outcome
      reasons.push(outcome.reason)
    }
    return unavailable ?? refuse([...new Set(reasons)].join('; '))
  }

  #withRights(identity: Identity): Identity {
    return this.#callersAreAdmins ? { ...identity, admin: true } : identity
  }
}
