import type { JSONWebKeySet, JWK, LocalJWKSet } from 'jose'
import { shown } from './identity.ts'
import { ALGORITHMS } from './token-rules.ts'

/** The signing keys of a published set. */
export interface KeySet {
  readonly keys: LocalJWKSet
  /** A line for each key that was meant for signatures and cannot be used. */
  readonly unusable: readonly string[]
}

/** RFC 7518, section 3.3. */
const MIN_RSA_BITS = 2048
/** Large providers publish a dozen. */
const MAX_KEYS = 200
/** The signature of a key that does not name its algorithm, to try the key with. */
const ALGORITHM_OF_TYPE: Readonly<Record<string, string>> = {
  RSA: 'RS256',
  'EC P-256': 'ES256',
  'EC P-384': 'ES384',
  'EC P-521': 'ES512',
  'OKP Ed25519': 'EdDSA',
}

/**
 * Reads a JWK Set. Keys that cannot be used are passed over, as RFC 7517, section 5, has it: one of them must not cost
 * the tokens that are signed with the others.
 *
 * @throws Error when the document is no key set.
 */
export async function readKeySet(document: Readonly<Record<string, unknown>>): Promise<KeySet> {
  const { createLocalJWKSet } = await import('jose')
  if (!Array.isArray(document.keys)) throw new Error('it holds no list of keys')
  const usable: JWK[] = []
  const unusable: string[] = []
  for (const [index, key] of document.keys.slice(0, MAX_KEYS).entries()) {
    if (isObject(key) && isForSomethingElse(key)) continue
    const problem = isObject(key) ? await keyProblem(key) : 'it is not an object'
    if (problem === undefined) usable.push(key as JWK)
    else
      unusable.push(
        `key ${isObject(key) && typeof key.kid === 'string' ? shown(key.kid) : index}: ${problem}`,
      )
  }
  if (document.keys.length > MAX_KEYS)
    unusable.push(`${document.keys.length} keys, of which ${MAX_KEYS} are looked at`)
  return { keys: createLocalJWKSet({ keys: usable } satisfies JSONWebKeySet), unusable }
}

/** Keys for encryption are a part of many sets. */
function isForSomethingElse({ use, key_ops: operations }: Readonly<Record<string, unknown>>): boolean {
  return (
    (typeof use === 'string' && use !== 'sig') ||
    (Array.isArray(operations) && !operations.includes('verify'))
  )
}

async function keyProblem(key: Readonly<Record<string, unknown>>): Promise<string | undefined> {
  const { kty, crv, alg, kid } = key
  if (kid !== undefined && typeof kid !== 'string') return 'its kid is not a text'
  const type = kty === 'RSA' ? kty : `${kty} ${crv}`
  const known = Object.hasOwn(ALGORITHM_OF_TYPE, type) ? ALGORITHM_OF_TYPE[type] : undefined
  if (known === undefined)
    return `its type ${shown(kty)}${crv === undefined ? '' : ` ${shown(crv)}`} is not known`
  if (alg !== undefined && (typeof alg !== 'string' || !ALGORITHMS.includes(alg)))
    return `its algorithm ${shown(alg)} is not accepted`
  if ('d' in key || 'k' in key) return 'it is not a public key'
  const { importJWK } = await import('jose')
  try {
    const imported = await importJWK({ ...key } as JWK, alg ?? known)
    if (imported instanceof Uint8Array) return 'it is not a public key'
    const { modulusLength } = imported.algorithm as { readonly modulusLength?: number }
    if (modulusLength !== undefined && modulusLength < MIN_RSA_BITS)
      return `an RSA key of ${modulusLength} bits is too short, ${MIN_RSA_BITS} are needed`
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
