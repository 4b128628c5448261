import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { proxiedFetch } from '../../src/main/proxied-fetch.ts'

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
  const tunnels: string[] = []
  const proxy = createServer().on('connect', (request, socket, head) => {
    tunnels.push(request.url!)
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [socket, upstream]) end.on('error', () => {})
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const env = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` }
  try {
    const fetch = proxiedFetch(env, () => {})!
    const answer = await fetch('http://idp.invalid/token', REQUEST)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-path')).toBe('/token')
    expect(await text(answer.body)).toBe('{"ok":true}')
    expect(tunnels).toEqual(['idp.invalid:80'])

    const direct = await proxiedFetch({ ...env, NO_PROXY: '*' }, () => {})!(
      `http://127.0.0.1:${port}/direct`,
      REQUEST,
    )
    expect(await text(direct.body)).toBe('{"ok":true}')
    expect(tunnels).toHaveLength(1)
  } finally {
    proxy.close()
    provider.closeAllConnections()
    provider.close()
  }
})

test("without a proxy Node's own fetch serves", () => {
  expect(proxiedFetch({ NO_PROXY: 'x', HTTPS_PROXY: ' ' }, () => {})).toBeUndefined()
})
