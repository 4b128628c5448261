import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { readBody, startServer } from './http-server.ts'
import { AUDIENCE, type IdentityProvider } from './identity-provider.ts'

export interface UploadServer extends AsyncDisposable {
  readonly url: string
  readonly accepted: number
  readonly rejected: number
  /** Refuses this token from now on. */
  revoke(authorization: string): void
}

/** An ingestion server as far as authentication goes: 200 for a valid token of the provider, 401 for any other. */
export async function startUploadServer(provider: IdentityProvider): Promise<UploadServer> {
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))
  const revoked = new Set<string>()
  let accepted = 0
  let rejected = 0
  const server = await startServer(async (request, response) => {
    await readBody(request)
    const { authorization = '' } = request.headers
    try {
      if (revoked.has(authorization)) throw new errors.JWTInvalid('revoked')
      // Providers round the times of a token down to seconds.
      const options = { issuer: provider.issuer, audience: AUDIENCE, clockTolerance: 1 }
      await jwtVerify(authorization.replace(/^Bearer /, ''), keys, options)
      accepted++
      response.writeHead(200).end()
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
      rejected++
      response.writeHead(401).end('Invalid token')
    }
  })
  return {
    url: `${server.origin}/ingestion/insert_block`,
    get accepted() {
      return accepted
    },
    get rejected() {
      return rejected
    },
    revoke: (authorization) => void revoked.add(authorization),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
