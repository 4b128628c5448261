import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type AuthOutcome, type Identity, refuse, type TokenVerifier } from './identity.ts'

/** One API key: the reference server's `MICROMEGAS_API_KEYS` is a JSON array of these. */
export interface ApiKey {
  /** Shown in logs and by `/api/whoami`. */
  readonly name: string
  /** The bearer token. */
  readonly key: string
}

/**
 * Compares a token with every key, in a time that depends on neither: both sides are hashed under a random key, so they
 * have one length, and no comparison ends the loop.
 */
export class ApiKeyVerifier implements TokenVerifier {
  readonly #salt = randomBytes(32)
  readonly #keys: readonly { readonly digest: Buffer; readonly identity: Identity }[]

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map(({ name, key }) => ({
      digest: this.#digest(key),
      identity: Object.freeze({
        method: 'api_key',
        subject: name,
        email: undefined,
        issuer: 'api_key',
        audience: undefined,
        expiresAtMs: undefined,
        admin: false,
      }),
    }))
  }

  verify(token: string): AuthOutcome {
    const digest = this.#digest(token)
    let found: Identity | undefined
    for (const candidate of this.#keys) {
      if (timingSafeEqual(digest, candidate.digest)) found = candidate.identity
    }
    return found === undefined ? refuse('no API key matches') : { ok: true, identity: found }
  }

  #digest(key: string): Buffer {
    return createHmac('sha256', this.#salt).update(key, 'utf8').digest()
  }
}
