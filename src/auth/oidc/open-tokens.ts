import { tell } from '../../config/diagnostics.ts'
import { proxiedFetch } from '../../http/proxy/proxied-fetch.ts'
import { platformClock } from '../../model/runtime/clock.ts'
import { CredentialsConfigError, type SettingNames } from '../config-error.ts'
import type { CredentialsUnavailableError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { SecretFileError } from '../secret-file.ts'
import { type ClientProof, openClientProof } from './client-proof.ts'
import {
  type OidcClientCredentialsOptions,
  type OidcConfig,
  type OidcProof,
  resolveOidcOptions,
} from './oidc-options.ts'
import { TokenCache } from './token-cache.ts'
import { TokenRequester } from './token-request.ts'

const WHAT = 'the OIDC client credentials'

const FILE_OPTIONS = {
  secret: 'clientSecret',
  'secret-file': 'clientSecretFile',
  'assertion-file': 'clientAssertionFile',
  'private-key-file': 'privateKeyFile',
} as const satisfies Record<OidcProof['kind'], keyof OidcClientCredentialsOptions>

/** What is told of the requests for tokens. */
export interface TokenEvents {
  /** The proof that a request is about to be made with. */
  onRequest(proof: Secret): void
  /** A failed request's error, or nothing where a token came. */
  onOutcome(error: CredentialsUnavailableError | undefined): void
}

/** The tokens of a client, and what was made of its options on the way. */
export interface OpenedTokens {
  readonly tokens: TokenCache
  readonly proof: ClientProof
  /** Never throws. */
  readonly warn: (message: string) => void
  readonly refusedRetryMs: number
}

/**
 * Reads the options and the files that they name; no request is made yet.
 *
 * @throws {@link CredentialsConfigError} with all that is wrong with the options.
 */
export function openTokens(
  options: OidcClientCredentialsOptions,
  names: SettingNames,
  events: TokenEvents,
): OpenedTokens {
  const resolved = resolveOidcOptions(options, names)
  if ('problems' in resolved) throw new CredentialsConfigError(WHAT, resolved.problems)
  const { config } = resolved
  const warn = tolerant(options.warn)
  const proof = openProof(config, names, warn)
  const requester = new TokenRequester(config, proof, options.fetch ?? proxiedFetch(process.env, warn))
  const tokens = new TokenCache({
    fetchToken: async (signal) => {
      events.onRequest(await proof.read())
      return requester.fetchToken(signal)
    },
    bufferMs: config.tokenBufferMs,
    refusedRetryMs: config.refusedRetryMs,
    now: options.now ?? platformClock.now,
    random: options.random ?? platformClock.random,
    onOutcome: (error) => events.onOutcome(error),
  })
  return { tokens, proof, warn, refusedRetryMs: config.refusedRetryMs }
}

/** A console that fails must not count as a failure of the provider. */
function tolerant(warn: ((message: string) => void) | undefined): (message: string) => void {
  return (message) => {
    try {
      if (warn === undefined) tell(message)
      else warn(message)
    } catch {
      // There is nobody left to tell.
    }
  }
}

function openProof(config: OidcConfig, names: SettingNames, warn: (message: string) => void): ClientProof {
  try {
    const setting = names(FILE_OPTIONS[config.proof.kind])
    return openClientProof(config.proof, setting, (message) => warn(`micromegas: ${message}`))
  } catch (error) {
    if (error instanceof SecretFileError)
      throw new CredentialsConfigError(WHAT, [error.message], { cause: error.cause })
    throw error
  }
}
