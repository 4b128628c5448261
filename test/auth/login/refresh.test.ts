import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { OidcAuthProvider } from '../../../src/auth/login/oidc-auth-provider.ts'
import { program } from '../../support/program.ts'
import { type LoginProvider, startLoginProvider } from '../support/login-provider.ts'
import { expireIn, logInto, tokenIn } from '../support/stored-login.ts'

let provider: LoginProvider
const folder = mkdtempSync(join(tmpdir(), 'micromegas-refresh-'))
beforeAll(async () => {
  provider = await startLoginProvider()
})
afterEach(() => {
  provider.tokenFault = undefined
})
afterAll(async () => {
  await provider[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

let count = 0
/** A file with a login that expires in some seconds. */
async function storedLogin(seconds: number): Promise<string> {
  const file = join(folder, `${count++}`, 'tokens.json')
  await logInto(provider.issuer, file)
  expireIn(file, seconds)
  return file
}

const refreshes = (): number => provider.grants.filter((grant) => grant === 'refresh_token').length

test('a token with more than five minutes is used as it is', async () => {
  const file = await storedLogin(310)
  const before = refreshes()
  const auth = await OidcAuthProvider.fromFile(file)
  expect(await auth.getToken()).toBe(tokenIn(file).id_token)
  expect(refreshes()).toBe(before)
})

test('one with less is refreshed, once for all who wait, and kept', async () => {
  const file = await storedLogin(290)
  const old = tokenIn(file)
  const before = refreshes()
  const auth = await OidcAuthProvider.fromFile(file)
  const tokens = await Promise.all(Array.from({ length: 20 }, () => auth.getToken()))
  expect(new Set(tokens).size).toBe(1)
  expect(refreshes()).toBe(before + 1)
  expect(decodeJwt(tokens[0]!).exp! * 1000).toBeGreaterThan(Date.now() + 300_000)
  expect(tokenIn(file)).toMatchObject({ id_token: tokens[0] })
  expect(tokenIn(file).refresh_token).not.toBe(old.refresh_token) // the provider rotates them
})

test('eight processes at once refresh once, and nobody is logged out', async () => {
  const file = await storedLogin(10)
  const before = refreshes()
  const script = program(new URL('./fixtures/get-token.ts', import.meta.url))
  const run = promisify(execFile)
  const outputs = await Promise.all(Array.from({ length: 8 }, () => run(process.execPath, [script, file])))
  expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1)
  expect(outputs[0]!.stdout).toBe(`1 ${tokenIn(file).id_token}`)
  expect(refreshes()).toBe(before + 1)
  expect(readdirSync(join(file, '..'))).toEqual(['tokens.json'])
  expireIn(file, 10)
  await (await OidcAuthProvider.fromFile(file)).getToken() // the login still holds
})

test('an answer without a new refresh token keeps the old one', async () => {
  const file = await storedLogin(10)
  const old = tokenIn(file)
  const auth = await OidcAuthProvider.fromFile(file, {
    fetch: async (url, request) => {
      const response = await fetch(url, request)
      if (!url.endsWith('/token')) return response
      const { refresh_token: _, ...rest } = (await response.json()) as Record<string, unknown>
      return Response.json(rest)
    },
  })
  await auth.getToken()
  expect(tokenIn(file).refresh_token).toBe(old.refresh_token)
  expect(tokenIn(file).id_token).not.toBe(old.id_token)
})

test('a client that takes no lock and was quicker does not end the login', async () => {
  const file = await storedLogin(10)
  const mine = await OidcAuthProvider.fromFile(file)
  let theirs = ''
  provider.tokenFault = async () => {
    provider.tokenFault = undefined
    // Another client uses the refresh token while this one's request is under way.
    const { refresh_token } = tokenIn(file)
    const { issuer } = provider
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id: 'cli' }),
    })
    const token = (await response.json()) as { id_token: string }
    theirs = token.id_token
    const { writeLogin } = await import('../../../src/auth/login/tokens/token-file.ts')
    await writeLogin(file, { issuer, client_id: 'cli', token })
    return undefined
  }
  expect(await mine.getToken()).toBe(theirs)
})

describe('when a login cannot be refreshed', () => {
  test('a provider that is away is told, and the token is used while it lasts', async () => {
    const file = await storedLogin(120)
    const auth = await OidcAuthProvider.fromFile(file)
    provider.tokenFault = () => 503
    expect(await auth.getToken()).toBe(tokenIn(file).id_token)
    provider.tokenFault = undefined
    const expired = await storedLogin(120)
    expireIn(expired, -10)
    provider.tokenFault = () => 503
    await expect((await OidcAuthProvider.fromFile(expired)).getToken()).rejects.toMatchObject({
      code: 'ERR_TELEMETRY_UNAVAILABLE',
      message: expect.stringContaining('HTTP 503'),
    })
  })

  test('without a person there is an error that says what to do; no token is in it', async () => {
    const file = await storedLogin(10)
    const { refresh_token: used } = tokenIn(file)
    await (await OidcAuthProvider.fromFile(file)).getToken()
    const ended = join(folder, 'ended.json')
    const { writeLogin } = await import('../../../src/auth/login/tokens/token-file.ts')
    await writeLogin(ended, { issuer: provider.issuer, client_id: 'cli', token: { refresh_token: used } })
    const options = { issuer: provider.issuer, clientId: 'cli', tokenFile: ended, interactive: false }
    const error = await OidcAuthProvider.loadOrLogin(options).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'ERR_TELEMETRY_LOGIN',
      message: expect.stringMatching(/Cannot refresh the login .*log in again/),
    })
    expect(String((error as Error).stack)).not.toContain(used)
  })

  test('with a person there is a new login', async () => {
    const { ScriptedBrowser } = await import('../support/scripted-browser.ts')
    const tokenFile = join(folder, 'again.json')
    const { writeLogin } = await import('../../../src/auth/login/tokens/token-file.ts')
    await writeLogin(tokenFile, {
      issuer: provider.issuer,
      client_id: 'cli',
      token: { refresh_token: 'gone' },
    })
    const auth = await OidcAuthProvider.loadOrLogin({
      issuer: provider.issuer,
      clientId: 'cli',
      tokenFile,
      interactive: true,
      openBrowser: false,
      redirectUri: 'http://localhost:0/callback',
      onUrl: (url) => {
        void new ScriptedBrowser().logIn(url, 'carol')
      },
    })
    expect(auth.user.sub).toBe('carol')
  })

  test('a file of another issuer or client is not used', async () => {
    const file = await storedLogin(3000)
    for (const options of [
      { issuer: 'https://other.test', clientId: 'cli' },
      { issuer: provider.issuer, clientId: 'another' },
    ]) {
      await expect(
        OidcAuthProvider.loadOrLogin({ ...options, tokenFile: file, interactive: false }),
      ).rejects.toMatchObject({
        code: 'ERR_TELEMETRY_LOGIN',
        message: expect.stringContaining('is for another client or issuer'),
      })
    }
  })

  test('a login that was ended by a logout is not brought back', async () => {
    const file = await storedLogin(10)
    const auth = await OidcAuthProvider.fromFile(file)
    rmSync(file)
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'ERR_TELEMETRY_LOGIN' })
    expect(readdirSync(join(file, '..'))).toEqual([])
  })

  test('a token that nobody signed is refused', async () => {
    const file = await storedLogin(3000)
    const text = readFileSync(file, 'utf8')
    const stored = JSON.parse(text)
    const [, payload] = stored.token.id_token.split('.')
    const header = Buffer.from('{"alg":"none"}').toString('base64url')
    stored.token.id_token = `${header}.${payload}.`
    const { writeFileSync } = await import('node:fs')
    writeFileSync(file, JSON.stringify(stored))
    const auth = await OidcAuthProvider.fromFile(file)
    await expect(auth.getToken()).rejects.toMatchObject({
      code: 'ERR_TELEMETRY_LOGIN',
      message: expect.stringContaining('alg=none'),
    })
  })
})
