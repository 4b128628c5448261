import { describe, expect, test } from 'vitest'
import { PROCESS_CBOR } from '../../../test/telemetry/worked-examples.ts'
import { getJson, post, send, startServer } from '../support/server.ts'

const KEYS = [
  { name: 'ci', key: 'mmk_first' },
  { name: 'laptop', key: 'mmk_second' },
]
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

describe('API keys', () => {
  test('any of them is accepted, by its exact bytes', async () => {
    await using server = await startServer({ apiKeys: KEYS })
    for (const { key } of KEYS)
      expect((await post(server, 'process', PROCESS_CBOR, bearer(key))).status).toBe(200)
    for (const key of [
      'mmk_firs',
      'mmk_first1',
      'MMK_FIRST',
      'mmk_second mmk_first',
      '',
      'x'.repeat(10_000),
    ]) {
      const answer = await post(server, 'process', PROCESS_CBOR, bearer(key))
      expect([key, answer.status, answer.text]).toEqual([key, 401, 'Invalid token'])
    }
  })

  test('the prefix is "Bearer " and nothing else', async () => {
    await using server = await startServer({ apiKeys: KEYS })
    for (const authorization of [
      'bearer mmk_first',
      'Bearer  mmk_first',
      'BEARER mmk_first',
      'mmk_first',
      'Basic mmk_first',
      'Bearer',
    ]) {
      const answer = await post(server, 'process', PROCESS_CBOR, { authorization })
      expect([authorization, answer.status]).toEqual([authorization, 401])
    }
    expect((await post(server, 'process', PROCESS_CBOR)).status).toBe(401)
  })

  test('every other route but health and readiness asks for one, unknown ones below /api too', async () => {
    await using server = await startServer({ apiKeys: KEYS })
    for (const path of [
      '/api/processes',
      '/api/log_entries',
      '/api/blocks/x',
      '/api/stats',
      '/api/nonsense',
    ]) {
      const answer = await send(server.url, path)
      expect([path, answer.status, JSON.parse(answer.text)]).toEqual([path, 401, { error: 'Invalid token' }])
    }
    for (const path of ['/health', '/ready']) expect((await send(server.url, path)).status).toBe(200)
  })

  test('name who they belong to, and are never admins, whatever the list of admins says', async () => {
    await using server = await startServer({ apiKeys: KEYS, admins: ['laptop', 'mmk_second', 'api_key'] })
    expect(await getJson(server, '/api/whoami', bearer('mmk_second'))).toEqual({
      method: 'api_key',
      subject: 'laptop',
      email: null,
      issuer: 'api_key',
      audience: null,
      expires_at: null,
      admin: false,
    })
    const answer = await send(server.url, '/api/processes/00000000-0000-4000-8000-000000000001', {
      method: 'DELETE',
      headers: bearer('mmk_second'),
    })
    expect(answer.status).toBe(403)
    expect(server.reasons()[0]).toContain('API keys are never admins')
  })

  test('are in nothing that is reported', async () => {
    await using server = await startServer({ apiKeys: KEYS })
    await post(server, 'process', PROCESS_CBOR, bearer('mmk_canary_of_a_client'))
    await post(server, 'process', Buffer.from('bad'), bearer('mmk_first'))
    const problems = await getJson(server, '/api/problems', bearer('mmk_first'))
    expect(JSON.stringify([server.events, problems])).not.toMatch(/mmk_/)
    expect(server.events).toHaveLength(2)
  })
})

test('with authentication disabled the header is ignored and everyone is an admin', async () => {
  await using server = await startServer({ disableAuth: true, apiKeys: KEYS })
  expect((await post(server, 'process', PROCESS_CBOR, bearer('wrong'))).status).toBe(200)
  expect(await getJson(server, '/api/whoami')).toMatchObject({ method: 'none', admin: true })
  expect(server.reasons()).toContain('authentication is disabled: API keys and OIDC are not looked at')
})
