import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DeviceCode } from '../../../src/auth/login/login-options.ts'
import { logout } from '../../../src/auth/login/logout.ts'
import { OidcAuthProvider } from '../../../src/auth/login/oidc-auth-provider.ts'
import { type LoginProvider, startLoginProvider } from '../support/login-provider.ts'
import { enterCode } from '../support/scripted-browser.ts'
import { expireIn, tokenIn } from '../support/stored-login.ts'

let provider: LoginProvider
const folder = mkdtempSync(join(tmpdir(), 'micromegas-device-'))
beforeAll(async () => {
  provider = await startLoginProvider()
})
afterAll(async () => {
  await provider[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

test('a code is shown, entered elsewhere, and becomes a login that refreshes and can be revoked', async () => {
  const tokenFile = join(folder, 'tokens.json')
  const codes: DeviceCode[] = []
  const auth = await OidcAuthProvider.loginWithDeviceCode({
    issuer: provider.issuer,
    clientId: 'cli',
    tokenFile,
    onCode: (code) => {
      codes.push(code)
      void enterCode(code.verificationUriComplete!, 'dave')
    },
  })
  expect(codes).toMatchObject([{ userCode: expect.stringMatching(/^\w{4}-\w{4}$/), expiresInSeconds: 600 }])
  expect(auth.user.sub).toBe('dave')
  expireIn(tokenFile, 10)
  const token = await (await OidcAuthProvider.fromFile(tokenFile)).getToken()
  expect(tokenIn(tokenFile).id_token).toBe(token)

  const { refresh_token: refreshToken } = tokenIn(tokenFile)
  expect(await logout({ tokenFile, revoke: true })).toEqual([tokenFile])
  const answer = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'cli' }),
  })
  expect(await answer.json()).toMatchObject({ error: 'invalid_grant' })
})

test('a person who says no ends the login', async () => {
  const attempt = OidcAuthProvider.loginWithDeviceCode({
    issuer: provider.issuer,
    clientId: 'cli',
    tokenFile: join(folder, 'refused.json'),
    onCode: (code) => {
      void enterCode(code.verificationUriComplete!, 'dave', true)
    },
  })
  await expect(attempt).rejects.toMatchObject({
    code: 'ERR_TELEMETRY_LOGIN',
    message: expect.stringContaining('the login was refused on the other device'),
  })
})

test('the wait is ended by its signal', async () => {
  const abort = new AbortController()
  const attempt = OidcAuthProvider.loginWithDeviceCode({
    issuer: provider.issuer,
    clientId: 'cli',
    tokenFile: join(folder, 'stopped.json'),
    signal: abort.signal,
    onCode: () => abort.abort(new Error('stopped')),
  })
  await expect(attempt).rejects.toThrow()
})
