import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export const AUDIENCE = 'https://telemetry.test/ingestion'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

export async function signingKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

export interface Issuer extends AsyncDisposable {
  readonly issuer: string
  /** Times the keys were asked for. */
  readonly keyRequests: number
  /** The keys it publishes. */
  keys: readonly JWK[]
  /** Answers a request in its place; `true` when it did. */
  fault: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  /** A token as it should be, but for the claims and the header given; `undefined` takes a claim away. */
  token(
    key: SigningKey,
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>
}

/** Signs a payload as it stands, which a library for tokens would not let through. */
export function signedText(
  key: SigningKey,
  payload: string,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey, { crit: { b64: true, ext: true } })
}

/** An issuer that publishes the keys and makes the mistakes a test asks for. */
export async function startIssuer(...keys: readonly SigningKey[]): Promise<Issuer> {
  let keyRequests = 0
  const server = createServer((request, response) => {
    if (request.url === '/jwks') keyRequests++
    if (state.fault?.(request, response)) return
    const document =
      request.url === '/jwks'
        ? { keys: state.keys }
        : request.url === '/.well-known/openid-configuration'
          ? { issuer: state.issuer, jwks_uri: `${state.issuer}/jwks` }
          : undefined
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(document ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const state: Issuer = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get keyRequests() {
      return keyRequests
    },
    keys: keys.map(({ publicJwk }) => publicJwk),
    fault: undefined,
    token(key, claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const all = { iss: state.issuer, aud: AUDIENCE, sub: 'service', iat: now, exp: now + 60, ...claims }
      const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
      return new SignJWT(present)
        .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
        .sign(key.privateKey, { crit: { ext: true } })
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return state
}
