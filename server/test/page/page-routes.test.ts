import { existsSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { send, startServer } from '../support/server.ts'

beforeAll(() => {
  if (!existsSync(new URL('../../dist/page/index.html.gz', import.meta.url)))
    throw new Error('the page is not built: npm run build')
})

test('the page and its files are given to everyone, with a policy that lets nothing else in', async () => {
  await using server = await startServer({ apiKeys: [{ name: 'a', key: 'k'.repeat(32) }] })
  const page = await send(server.url, '/ui/')
  expect(page.status).toBe(200)
  expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
  expect(page.headers['x-content-type-options']).toBe('nosniff')
  expect(page.headers['cache-control']).toBe('no-cache')
  const names = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name!)
  expect(names).toHaveLength(3)
  for (const name of names) {
    const file = await send(server.url, `/ui/${name}`)
    expect(file.status).toBe(200)
    expect(file.text.length).toBeGreaterThan(100)
    const hashed = /-[\da-f]{12}\./.test(name)
    expect(file.headers['cache-control']).toBe(hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
  }
})

test('files go compressed to those who take them so', async () => {
  await using server = await startServer()
  const response = await fetch(`${server.url}/ui/`, { headers: { 'accept-encoding': 'gzip' } })
  expect(response.headers.get('content-encoding')).toBe('gzip')
  const plain = await send(server.url, '/ui/')
  expect(await response.text()).toBe(plain.text)
})

test('the page is only read, and only what it has', async () => {
  await using server = await startServer()
  const status = async (path: string, method = 'GET'): Promise<number> =>
    (await send(server.url, path, { method })).status
  expect(await status('/ui')).toBe(302)
  expect(await status('/ui/', 'HEAD')).toBe(200)
  expect(await status('/ui/', 'POST')).toBe(405)
  expect(await status('/ui/nothing.js')).toBe(404)
  expect(await status('/ui/..%2f..%2fpackage.json')).toBe(404)
  expect(await status('/ui/../package.json')).toBe(404)
  expect(await status('/')).toBe(404)
})

test('a page of another site cannot ask by a name of its own for this machine', async () => {
  await using server = await startServer()
  const answer = await send(server.url, '/ui/', { headers: { host: 'evil.example' } })
  expect(answer.status).toBe(403)
})
