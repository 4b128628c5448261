import { describe, expect, test } from 'vitest'
import { startLoginProvider } from '../../../test/auth/support/login-provider.ts'
import { serverOptionsFromEnv } from '../../src/index.ts'
import { resolveOptions } from '../../src/options.ts'
import { send, startServer } from '../support/server.ts'

const OIDC = '{"issuers":[{"issuer":"https://accounts.example","audience":"cli"}]}'

async function ask(
  url: string,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly answer: Record<string, string> }> {
  const { status, text } = await send(url, `/ui/login/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url, ...headers },
    body: Buffer.from(JSON.stringify(body)),
  })
  return { status, answer: JSON.parse(text) }
}

async function serverAt(issuer: string, secret?: string) {
  const clientId = secret === undefined ? 'cli' : 'web'
  return startServer({
    oidc: { issuers: [{ issuer, audience: clientId }] },
    pageLogin: [{ issuer, clientId, clientSecret: secret }],
  })
}

describe('a login', () => {
  test('begins with a challenge of its own, a way back to the page, and no secret', async () => {
    await using provider = await startLoginProvider({ redirectUri: 'http://127.0.0.1/ui/' })
    await using server = await serverAt(provider.issuer, 'web-secret')
    const list = await send(server.url, '/ui/login')
    expect(JSON.parse(list.text)).toEqual([{ issuer: provider.issuer }])
    const asked = { issuer: provider.issuer, redirectUri: `${server.url}/ui/` }
    const [first, second] = [await ask(server.url, 'begin', asked), await ask(server.url, 'begin', asked)]
    const url = new URL(first.answer.url!)
    expect(url.origin).toBe(provider.issuer)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: 'web',
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: asked.redirectUri,
      state: first.answer.state,
      nonce: first.answer.nonce,
    })
    for (const name of ['state', 'nonce', 'verifier'])
      expect(first.answer[name]).not.toBe(second.answer[name])
    expect(JSON.stringify(first)).not.toContain('web-secret')
  })

  test('is for pages of this server only, and leads back to them only', async () => {
    await using provider = await startLoginProvider()
    await using server = await serverAt(provider.issuer)
    const asked = { issuer: provider.issuer, redirectUri: `${server.url}/ui/` }
    const status = async (body: object, headers?: Record<string, string>): Promise<number> =>
      (await ask(server.url, 'begin', body, headers)).status
    expect(await status(asked, { origin: 'https://evil.example' })).toBe(403)
    expect(await status(asked, { 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await status(asked, { host: 'evil.example' })).toBe(403)
    expect(await status(asked, { 'content-type': 'text/plain' })).toBe(415)
    expect(await status({ ...asked, redirectUri: 'https://evil.example/ui/' })).toBe(400)
    expect(await status({ ...asked, redirectUri: `${server.url}/api/` })).toBe(400)
    expect(await status({ ...asked, issuer: 'https://evil.example' })).toBe(400)
    expect(await status(asked)).toBe(200)
    expect((await send(server.url, '/ui/login/begin')).status).toBe(404)
  })

  test('that the issuer does not know, or cannot be asked for, says why', async () => {
    await using provider = await startLoginProvider({ redirectUri: 'http://127.0.0.1/ui/' })
    await using server = await serverAt(provider.issuer)
    const { issuer } = provider
    const begun = await ask(server.url, 'begin', { issuer, redirectUri: `${server.url}/ui/` })
    const { state, nonce, verifier } = begun.answer
    const back = `${server.url}/ui/?state=${state}&iss=${encodeURIComponent(issuer)}`
    const finish = (answer: string, over: object = {}) =>
      ask(server.url, 'finish', { issuer, answer, state, nonce, verifier, ...over })
    expect(await finish(`${back}&code=stolen`)).toEqual({
      status: 400,
      answer: { error: expect.stringContaining('invalid_grant') },
    })
    expect(await finish(`${back}&code=stolen`, { state: 'another' })).toMatchObject({ status: 400 })
    expect(await finish(`${back}&error=access_denied&error_description=no`)).toEqual({
      status: 400,
      answer: { error: 'access_denied: no' },
    })
    expect(await ask(server.url, 'refresh', { issuer, refreshToken: 'stolen' })).toEqual({
      status: 400,
      answer: { error: expect.stringContaining('invalid_grant') },
    })
    expect(server.reasons().join()).not.toMatch(/stolen/)
    await using lonely = await serverAt('http://127.0.0.1:1')
    const asked = { issuer: 'http://127.0.0.1:1', redirectUri: `${lonely.url}/ui/` }
    expect(await ask(lonely.url, 'begin', asked)).toEqual({
      status: 400,
      answer: { error: expect.stringContaining('ECONNREFUSED') },
    })
  })
})

describe('the variable', () => {
  test('has the logins, whose issuers must be known', () => {
    const env = {
      MICROMEGAS_OIDC_CONFIG: OIDC,
      MICROMEGAS_PAGE_LOGIN: '[{"issuer":"https://accounts.example","client_id":"cli","scope":"openid"}]',
    }
    expect(resolveOptions(serverOptionsFromEnv(env)).pageLogin).toMatchObject([
      { issuer: 'https://accounts.example', clientId: 'cli', scope: 'openid' },
    ])
    const other = { ...env, MICROMEGAS_PAGE_LOGIN: '[{"issuer":"https://other.example","client_id":"cli"}]' }
    expect(() => resolveOptions(serverOptionsFromEnv(other))).toThrow(
      'pageLogin[0]: its issuer is not one of those configured for answering questions',
    )
    const wrong = { ...env, MICROMEGAS_PAGE_LOGIN: '[{"issuer":"https://accounts.example"}]' }
    expect(() => serverOptionsFromEnv(wrong)).toThrow('MICROMEGAS_PAGE_LOGIN[0].client_id: expected a text')
  })
})
