import type { JWTPayload } from 'jose'
import { shown } from './identity.ts'

/**
 * Signatures made with a private key, and no others: with `HS256` allowed, the public key would serve as the secret. The
 * reference server takes RS256 alone.
 */
export const ALGORITHMS: readonly string[] = [
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
/** Longest token looked at. A request's headers have 16 KiB together; the largest tokens in use have some 8 KiB. */
export const MAX_TOKEN_LENGTH = 16 * 1024

/**
 * What the `typ` header of an access or ID token says, if anything (RFC 7519, section 5.1; RFC 9068, section 2.1; `JOSE`
 * as SPIFFE allows). A token of another type was made for something else, such as `logout+jwt` or `dpop+jwt`.
 */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'jose'])
/** The same as a claim, which Keycloak signs: these tokens are for Keycloak itself. */
const FOREIGN_TYPE_CLAIMS: ReadonlySet<string> = new Set([
  'refresh',
  'offline',
  'logout',
  'serialized-id',
  'initialaccesstoken',
  'registrationaccesstoken',
])
/** ECMA-262, section 21.4.1.1: the last second that a `Date` can hold. */
const LAST_SECOND = 8.64e12

/** @returns Why a token with this protected header is refused (RFC 7515, section 4.1; RFC 8725, section 3.11). */
export function headerProblem(header: Readonly<Record<string, unknown>>): string | undefined {
  const { alg, typ, kid } = header
  if (typeof alg !== 'string' || !ALGORITHMS.includes(alg))
    return `a token signed with ${shown(alg)} is not accepted`
  if (kid !== undefined && typeof kid !== 'string') return 'its kid is not a text'
  if (typ === undefined) return undefined
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined
  if (type === undefined || !TYPES.has(type)) return `a token of the type ${shown(typ)} is not a bearer token`
  return undefined
}

/**
 * What is wrong with the claims of a token whose signature, issuer, audience and validity have been checked. That
 * check takes any JSON value for a subject and any number for a time.
 */
export function claimsProblem(claims: JWTPayload): string | undefined {
  const { sub, aud, cnf, events, typ } = claims
  if (typeof sub !== 'string' || sub === '') return 'its sub is not a text (RFC 7519, section 4.1.2)'
  if (![aud].flat().every((one) => typeof one === 'string'))
    return 'its aud holds something that is not a text'
  for (const name of ['exp', 'nbf', 'iat'] as const) {
    const time = claims[name]
    if (time !== undefined && !(Math.abs(time) <= LAST_SECOND))
      return `its ${name} is a time that no clock can reach`
  }
  // RFC 7800: only who has that key may use the token, and nobody proves here to have it.
  if (cnf !== undefined) return 'it is bound to a key (cnf), so it is not a bearer token'
  // RFC 8417, section 2.2: something that happened, such as a logout.
  if (events !== undefined) return 'it is a security event, not a bearer token'
  if (typeof typ === 'string' && FOREIGN_TYPE_CLAIMS.has(typ.toLowerCase()))
    return `a token of the type ${shown(typ)} is not a bearer token`
  return undefined
}
