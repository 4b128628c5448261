import { timeoutSignal } from '../../../model/text/durations.ts'
import { sanitizeText } from '../../secret.ts'
import { LoginRequiredError } from '../login-error.ts'
import type { BrowserLogin, LoginClient } from '../login-options.ts'
import { LoginSession } from '../login-session.ts'
import type { StoredToken } from '../tokens/token-file.ts'
import { CallbackServer } from './callback-server.ts'
import { hasDisplay, openBrowser } from './open-browser.ts'

const MAX_REASON_CHARS = 300

/**
 * Logs a person in by their browser: authorization code with PKCE (RFC 7636, RFC 8252), state and nonce.
 *
 * @throws {@link LoginRequiredError} when the provider or the person says no, or nobody comes in time.
 */
export async function loginByBrowser(client: LoginClient, login: BrowserLogin): Promise<StoredToken> {
  const timeout = timeoutSignal(login.timeoutMs)
  const signal = login.signal === undefined ? timeout : AbortSignal.any([timeout, login.signal])
  const session = await LoginSession.open(client, signal)
  const { library } = session
  const state = library.randomState()
  const nonce = library.randomNonce()
  const verifier = library.randomPKCECodeVerifier()
  await using server = await CallbackServer.listen(login.redirectUri, state)
  const url = library.buildAuthorizationUrl(session.configuration, {
    ...session.parameters,
    redirect_uri: server.redirectUri.href,
    state,
    nonce,
    code_challenge: await library.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  await show(url, login)
  const callback = await server.wait(signal).catch((error: unknown) => {
    throw timeout.aborted ? tooLate(client, login.timeoutMs, error) : error
  })
  try {
    const refusal = callback.url.searchParams.get('error')
    if (refusal !== null) {
      const description = callback.url.searchParams.get('error_description')
      const reason = sanitizeText([refusal, description].filter(Boolean).join(': '), [], MAX_REASON_CHARS)
      throw new LoginRequiredError(`Cannot log in at ${client.issuer}: ${reason}`)
    }
    const token = await session.grant('log in at', () =>
      library.authorizationCodeGrant(session.configuration, callback.url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      }),
    )
    callback.answer({ status: 200, title: 'You are logged in', text: 'You can close this window.' })
    return token
  } catch (error) {
    const text = error instanceof Error ? error.message : 'The login failed.'
    callback.answer({ status: 400, title: 'You are not logged in', text })
    throw error
  }
}

async function show(url: URL, login: BrowserLogin): Promise<void> {
  const { openBrowser: wish = hasDisplay(process.env, process.platform) } = login
  if (login.onUrl === undefined) {
    const hint = wish === false ? ' on this machine, or log in with a device code' : ''
    process.stderr.write(`To log in, open this address in a browser${hint}:\n  ${url.href}\n`)
  } else {
    login.onUrl(url)
  }
  if (typeof wish === 'function') await wish(url)
  else if (wish) await openBrowser(url)
}

function tooLate(client: LoginClient, timeoutMs: number, cause: unknown): LoginRequiredError {
  return new LoginRequiredError(
    `Cannot log in at ${client.issuer}: nobody logged in within ${Math.round(timeoutMs / 1000)} s`,
    { cause },
  )
}
