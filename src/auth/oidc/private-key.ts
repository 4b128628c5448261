import type { JsonWebKey, KeyObject, webcrypto } from 'node:crypto'

/** A private key ready to sign client assertions, and the name the provider knows it by. */
export interface SigningKey {
  readonly key: webcrypto.CryptoKey
  readonly kid: string | undefined
}

type ImportParameters = webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams | webcrypto.Algorithm

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}

/** Loaded when there is a key: importing it costs every process 3 ms. */
function loadCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto')
}

/**
 * Reads a private key: PEM (PKCS #8, PKCS #1 or SEC 1) or a JWK. An RSA key signs RS256 unless the JWK's `alg` says
 * otherwise (RS384, RS512, PS256, PS384, PS512).
 *
 * @throws Error - Says what is wrong with the key; the message holds nothing of it.
 */
export async function importSigningKey(text: string, keyId: string | undefined): Promise<SigningKey> {
  const jwk = text.trimStart().startsWith('{') ? parseJwk(text) : undefined
  const key = parseKey(jwk, text)
  const parameters = importParameters(key, typeof jwk?.alg === 'string' ? jwk.alg : undefined)
  const der = key.export({ type: 'pkcs8', format: 'der' })
  const imported = await loadCrypto().webcrypto.subtle.importKey('pkcs8', der, parameters, false, ['sign'])
  return { key: imported, kid: keyId ?? (typeof jwk?.kid === 'string' ? jwk.kid : undefined) }
}

/** Whether the text looks like a key at all; the rest is found out when it is imported. */
export function signingKeyProblem(text: string): string | undefined {
  try {
    const jwk = text.trimStart().startsWith('{') ? parseJwk(text) : undefined
    importParameters(parseKey(jwk, text), undefined)
    return undefined
  } catch (error) {
    return error instanceof SigningKeyError ? error.message : 'is no private key that can be read'
  }
}

/** The message is a predicate on the key: "is encrypted…". */
class SigningKeyError extends Error {
  override readonly name: string = 'SigningKeyError'
}

function parseJwk(text: string): JsonWebKey {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes the text.
    throw new SigningKeyError('is neither PEM nor a JWK')
  }
}

function parseKey(jwk: JsonWebKey | undefined, text: string): KeyObject {
  if (jwk === undefined && /ENCRYPTED/.test(text)) {
    throw new SigningKeyError('is an encrypted private key; store it unencrypted in a protected mount')
  }
  const { createPrivateKey } = loadCrypto()
  try {
    return jwk === undefined ? createPrivateKey(text) : createPrivateKey({ key: jwk, format: 'jwk' })
  } catch {
    throw new SigningKeyError('is no private key in PEM or JWK form')
  }
}

function importParameters(key: KeyObject, alg: string | undefined): ImportParameters {
  const type = key.asymmetricKeyType
  if (type === 'rsa') {
    const hash = `SHA-${/^(?:RS|PS)(256|384|512)$/.exec(alg ?? '')?.[1] ?? '256'}`
    return { name: alg?.startsWith('PS') === true ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash }
  }
  const namedCurve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (type === 'ec' && namedCurve !== undefined) return { name: 'ECDSA', namedCurve }
  if (type === 'ed25519') return { name: 'Ed25519' }
  throw new SigningKeyError(
    'is of a kind that cannot sign client assertions (RSA, EC P-256/384/521 or Ed25519 can)',
  )
}
