import { CredentialsUnavailableError } from '../errors.ts'
import { LoginRequiredError } from './login-error.ts'
import type { DeviceCode, LoginClient } from './login-options.ts'
import { LoginSession } from './login-session.ts'
import type { StoredToken } from './tokens/token-file.ts'

/** What is heard of a person who does not log in, by the `error` of RFC 8628 section 3.5. */
const REFUSALS: Readonly<Record<string, string>> = {
  access_denied: 'the login was refused on the other device',
  expired_token: 'the code was not entered in time',
}

/**
 * Logs a person in by a code that they enter on another device (RFC 8628): for machines without a browser.
 *
 * @throws {@link LoginRequiredError} when the person says no or the code expires.
 */
export async function loginByDeviceCode(
  client: LoginClient,
  onCode: ((code: DeviceCode) => void) | undefined,
  signal: AbortSignal,
): Promise<StoredToken> {
  const session = await LoginSession.open(client, signal)
  const { library, configuration } = session
  if (configuration.serverMetadata().device_authorization_endpoint === undefined) {
    throw new CredentialsUnavailableError(
      `Cannot log in at ${client.issuer}: it offers no device codes; log in with a browser`,
      { refused: true },
    )
  }
  const started = await session.attempt(`log in at ${client.issuer}`, () =>
    library.initiateDeviceAuthorization(configuration, session.parameters),
  )
  const code: DeviceCode = {
    userCode: started.user_code,
    verificationUri: started.verification_uri,
    verificationUriComplete: started.verification_uri_complete,
    expiresInSeconds: started.expires_in,
  }
  ;(onCode ?? printCode)(code)
  return session.grant('log in at', async () => {
    try {
      return await library.pollDeviceAuthorizationGrant(configuration, started, undefined, { signal })
    } catch (error) {
      signal.throwIfAborted()
      const refusal = REFUSALS[String((error as { error?: unknown }).error)]
      if (refusal === undefined) throw error
      throw new LoginRequiredError(`Cannot log in at ${client.issuer}: ${refusal}`)
    }
  })
}

function printCode({ userCode, verificationUri }: DeviceCode): void {
  process.stderr.write(`To log in, open ${verificationUri} on any device and enter the code ${userCode}\n`)
}
