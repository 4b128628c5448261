import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { proxiedFetch } from '../../src/main/proxied-fetch.ts'
import { startForwardProxy } from '../support/forward-proxy.ts'

const REQUEST = {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'grant_type=client_credentials',
  redirect: 'manual',
  signal: new AbortController().signal,
} as const

async function text(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body ?? []) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('token requests take the proxy that the environment names, except where NO_PROXY excludes the host', async () => {
  const provider = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'x-path': request.url }).end('{"ok":true}'))
  }).listen(0, '127.0.0.1')
  await once(provider, 'listening')
  const { port } = provider.address() as AddressInfo
  await using proxy = await startForwardProxy({ to: port })
  const env = { HTTP_PROXY: proxy.url }
  try {
    const answer = await proxiedFetch(env, () => {})('http://idp.invalid/token', REQUEST)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('X-Path')).toBe('/token')
    expect(answer.headers.get('x-none')).toBeNull()
    expect(await text(answer.body)).toBe('{"ok":true}')
    expect(proxy.asked).toEqual(['POST http://idp.invalid/token'])

    for (const direct of [{ ...env, NO_PROXY: '*' }, {}]) {
      const { body } = await proxiedFetch(direct, () => {})(`http://127.0.0.1:${port}/direct`, REQUEST)
      expect(await text(body)).toBe('{"ok":true}')
    }
    expect(proxy.asked).toHaveLength(1)
  } finally {
    provider.close() // its connections are closed already
    await once(provider, 'close')
  }
})

test('what cannot be reached leaves nothing behind, and says why', async () => {
  const fetch = proxiedFetch({}, () => {})
  await expect(fetch('http://127.0.0.1:1/token', REQUEST)).rejects.toThrow('ECONNREFUSED')
  await expect(
    fetch('http://127.0.0.1:1/token', { ...REQUEST, signal: AbortSignal.abort() }),
  ).rejects.toThrow()
})
