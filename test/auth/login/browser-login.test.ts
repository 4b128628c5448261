import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LoginOptions } from '../../../src/auth/login/login-options.ts'
import { OidcAuthProvider } from '../../../src/auth/login/oidc-auth-provider.ts'
import { type LoginProvider, startLoginProvider } from '../support/login-provider.ts'
import { ScriptedBrowser } from '../support/scripted-browser.ts'

let provider: LoginProvider
const folder = mkdtempSync(join(tmpdir(), 'micromegas-login-'))
beforeAll(async () => {
  provider = await startLoginProvider()
})
afterAll(async () => {
  await provider[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

let count = 0
/** A login on a free port; `browser` acts when it is told the address. */
function login(
  browser: (address: URL) => unknown,
  options: Partial<LoginOptions> = {},
): Promise<OidcAuthProvider> {
  return OidcAuthProvider.login({
    issuer: provider.issuer,
    clientId: 'cli',
    tokenFile: join(folder, `${count++}`, 'tokens.json'),
    redirectUri: 'http://localhost:0/callback',
    openBrowser: false,
    onUrl: (url) => {
      void browser(url)
    },
    ...options,
  })
}

test('a person logs in, and the token is the ID token of the user', async () => {
  let page: Promise<{ text: string }> | undefined
  const auth = await login((url) => {
    page = new ScriptedBrowser().logIn(url, 'alice')
  })
  const claims = decodeJwt(await auth.getToken())
  expect(claims).toMatchObject({ iss: provider.issuer, aud: 'cli', sub: 'alice', email: 'alice@example.com' })
  expect(auth.user).toMatchObject({ sub: 'alice', email: 'alice@example.com', name: 'alice' })
  expect(auth.user.expiresAt.getTime()).toBe(claims.exp! * 1000)
  expect((await page!).text).toContain('You are logged in')
})

test('the address has PKCE, state and nonce, and asks for what the options say', async () => {
  let address: URL | undefined
  await login(
    (url) => {
      address = url
      void new ScriptedBrowser().logIn(url, 'alice')
    },
    { audience: 'https://telemetry.test' },
  )
  const parameters = Object.fromEntries(address!.searchParams)
  expect(parameters).toMatchObject({
    response_type: 'code',
    client_id: 'cli',
    code_challenge_method: 'S256',
    scope: 'openid email profile offline_access',
    audience: 'https://telemetry.test',
  })
  for (const name of ['code_challenge', 'state', 'nonce']) expect(parameters[name]).toMatch(/^[\w-]{43}$/)
})

test('a client with a secret logs in, and its secret is nowhere to be seen', async () => {
  const auth = await login((url) => void new ScriptedBrowser().logIn(url, 'bob'), {
    clientId: 'web',
    clientSecret: 'web-secret',
  })
  const token = await auth.getToken()
  expect(decodeJwt(token)).toMatchObject({ sub: 'bob', aud: 'web' })
  const text = readFileSync(auth.tokenFile, 'utf8')
  expect(text).not.toContain('web-secret')
  const shown = `${inspect(auth, { depth: 10, showHidden: true })} ${JSON.stringify(auth)}`
  expect(shown).not.toContain('web-secret')
  expect(shown).not.toContain(token)
})

test('the file is as the Python client reads it, for this user alone', async () => {
  const previous = process.umask(0)
  try {
    const auth = await login((url) => void new ScriptedBrowser().logIn(url, 'alice'))
    const file = JSON.parse(readFileSync(auth.tokenFile, 'utf8'))
    expect(file).toMatchObject({
      issuer: provider.issuer,
      client_id: 'cli',
      token: {
        access_token: expect.any(String),
        id_token: await auth.getToken(),
        refresh_token: expect.any(String),
        token_type: 'Bearer',
        expires_at: expect.any(Number),
      },
      expires_at: decodeJwt(await auth.getToken()).exp,
    })
    if (process.platform !== 'win32') expect(statSync(auth.tokenFile).mode & 0o777).toBe(0o600)
  } finally {
    process.umask(previous)
  }
})

describe('what comes to the callback and is not this login', () => {
  test('a favicon, another method and another state do not end the wait', async () => {
    const seen: number[] = []
    const auth = await login(async (url) => {
      const callback = new URL(url.searchParams.get('redirect_uri')!)
      const ask = async (path: string, method = 'GET') =>
        seen.push((await fetch(new URL(path, callback), { method })).status)
      await ask('/favicon.ico')
      await ask('/callback?code=stolen&state=wrong')
      await ask('/callback?code=stolen')
      await ask('/callback', 'POST')
      await new ScriptedBrowser().logIn(url, 'alice')
    })
    expect(auth.user.sub).toBe('alice')
    expect(seen).toEqual([404, 400, 400, 405])
  })

  test('a code of another login is refused by the provider, and the error names no code', async () => {
    const attempt = login((url) => {
      const callback = new URL(url.searchParams.get('redirect_uri')!)
      callback.searchParams.set('code', 'a-stolen-code')
      callback.searchParams.set('iss', provider.issuer)
      callback.searchParams.set('state', url.searchParams.get('state')!)
      void fetch(callback)
    })
    const error = await attempt.catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'ERR_TELEMETRY_LOGIN',
      message: expect.stringContaining('invalid_grant'),
    })
    expect(inspect(error, { depth: 10 })).not.toContain('a-stolen-code')
  })
})

test('a person who refuses ends the login with the reason of the provider, shown escaped', async () => {
  let page: Promise<{ status: number; text: string }> | undefined
  const attempt = login((url) => {
    page = new ScriptedBrowser().refuse(url)
  })
  await expect(attempt).rejects.toMatchObject({
    code: 'ERR_TELEMETRY_LOGIN',
    message: expect.stringContaining('access_denied'),
  })
  expect((await page!).text).toContain('You are not logged in')
})

test('what the provider says is shown as text', async () => {
  let page: Promise<Response> | undefined
  const attempt = login((url) => {
    const callback = new URL(url.searchParams.get('redirect_uri')!)
    callback.searchParams.set('error', 'server_error')
    callback.searchParams.set('error_description', '<script>alert(1)</script>\u001b[2J')
    callback.searchParams.set('state', url.searchParams.get('state')!)
    page = fetch(callback)
  })
  await expect(attempt).rejects.toThrow('server_error: <script>alert(1)</script>')
  const response = await page!
  expect(await response.text()).not.toContain('<script')
  expect(response.headers.get('content-security-policy')).toBe("default-src 'none'")
})

test('nobody comes: the login ends in its time and frees the port', async () => {
  let callback = ''
  const attempt = login(
    (url) => {
      callback = url.searchParams.get('redirect_uri')!
    },
    { timeoutMs: 300 },
  )
  await expect(attempt).rejects.toMatchObject({ code: 'ERR_TELEMETRY_LOGIN' })
  await expect(fetch(callback)).rejects.toThrow()
})

test('the wait is ended by its signal', async () => {
  const abort = new AbortController()
  const attempt = login(() => abort.abort(new Error('stopped')), { signal: abort.signal })
  await expect(attempt).rejects.toThrow('stopped')
})

test('a port that is taken is named, with who holds it', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  try {
    await expect(login(() => {}, { redirectUri: `http://localhost:${port}/callback` })).rejects.toMatchObject(
      {
        code: 'ERR_TELEMETRY_CONFIG',
        message: expect.stringContaining(
          process.platform === 'linux' ? `on port ${port}: process ${process.pid}` : `on port ${port}`,
        ),
      },
    )
  } finally {
    other.close()
  }
})

test('options that cannot be used are named', async () => {
  const wrong = { issuer: 'http://example.com', redirectUri: 'https://example.com/', timeout: 5 }
  await expect(login(() => {}, wrong as Partial<LoginOptions>)).rejects.toMatchObject({
    code: 'ERR_TELEMETRY_CONFIG',
    message: expect.stringMatching(
      /issuer: expected an https URL.*redirectUri: expected.*timeout: no such option/,
    ),
  })
})

test.each(['', '/'])(
  'an issuer given with %j at its end is found, whatever the provider calls itself',
  async (end) => {
    for (const issuerPath of ['/tenant', '/tenant/']) {
      await using other = await startLoginProvider({ issuerPath })
      const issuer = `${other.issuer.replace(/\/$/, '')}${end}`
      // The provider serves its endpoints at the root whatever its name; discovery alone is what is looked at.
      const error = await login(() => {}, { issuer, timeoutMs: 300 }).catch((reason: Error) => reason)
      expect(String(error)).not.toContain('names another issuer')
    }
  },
)
