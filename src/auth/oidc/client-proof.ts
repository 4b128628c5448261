import type { ClientAuth } from 'openid-client'
import type { Secret } from '../secret.ts'
import { SecretFile } from '../secret-file.ts'
import { clientSecretProblem, type OidcProof } from './oidc-options.ts'
import { importSigningKey, signingKeyProblem } from './private-key.ts'

/** The part of openid-client that is used; it is loaded when the first token is needed. */
export type OpenidClient = typeof import('./openid-client.ts')

/** What the client proves itself with, as it is at one moment. */
export interface ClientProof {
  /** Puts the proof into a token request. */
  authentication(library: OpenidClient): ClientAuth | Promise<ClientAuth>
  /** Read again from its file, if it is in one; the same object while the text is the same. Never rejects. */
  read(): Promise<Secret>
  /** Whether {@link read} may give something new. */
  readonly isFile: boolean
}

function assertionProblem(text: string): string | undefined {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text.trim()) ? undefined : 'is no signed JWT'
}

/**
 * Opens what the options name.
 *
 * @param setting - What the option with the file is called, for messages.
 * @throws {@link SecretFileError} when a file cannot be used.
 */
export function openClientProof(
  proof: OidcProof,
  setting: string,
  warn: (message: string) => void,
): ClientProof {
  switch (proof.kind) {
    case 'secret': {
      const { secret, method } = proof
      return {
        isFile: false,
        read: () => Promise.resolve(secret),
        authentication: (library) => secretAuthentication(library, secret, method),
      }
    }
    case 'secret-file': {
      const file = new SecretFile(proof.path, setting, clientSecretProblem, warn)
      return {
        isFile: true,
        read: () => file.read(),
        authentication: (library) => secretAuthentication(library, file.current, proof.method),
      }
    }
    case 'assertion-file': {
      const file = new SecretFile(proof.path, setting, assertionProblem, warn)
      return {
        isFile: true,
        read: () => file.read(),
        authentication: () => (_server, client, body) => {
          // RFC 7523 section 2.2
          body.set('client_id', client.client_id)
          body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
          body.set('client_assertion', file.current.reveal().trim())
        },
      }
    }
    case 'private-key-file': {
      const file = new SecretFile(proof.path, setting, signingKeyProblem, warn)
      return {
        isFile: true,
        read: () => file.read(),
        authentication: async (library) => {
          const { key, kid } = await importSigningKey(file.current.reveal(), proof.keyId)
          return library.PrivateKeyJwt(kid === undefined ? key : { key, kid }, {
            [library.modifyAssertion]: (_header, payload) => makeRoom(payload),
          })
        },
      }
    }
  }
}

/** How far this clock may be ahead of the provider's. */
const CLOCK_ROOM_SECONDS = 30

/** The library's assertions begin this second. For a provider whose clock is behind ours, that is in the future. */
function makeRoom(payload: Record<string, unknown>): void {
  delete payload.nbf // optional: RFC 7523 section 3
  payload.iat = Number(payload.iat) - CLOCK_ROOM_SECONDS
}

function secretAuthentication(library: OpenidClient, secret: Secret, method: string): ClientAuth {
  return method === 'client_secret_basic'
    ? library.ClientSecretBasic(secret.reveal())
    : library.ClientSecretPost(secret.reveal())
}
