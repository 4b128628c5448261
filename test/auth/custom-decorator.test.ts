import { createHmac, timingSafeEqual } from 'node:crypto'
import { expect, test } from 'vitest'
import { CredentialsUnavailableError, PermanentDecoratorError } from '../../src/auth/errors.ts'
import type { DecoratedRequest, RequestDecorator } from '../../src/auth/request-decorator.ts'
import { startServer } from './support/http-server.ts'

/** The example of docs/authentication.md. */
class HmacDecorator implements RequestDecorator {
  readonly #keyId: string
  readonly #key: Buffer

  constructor(keyId: string, key: Buffer) {
    if (key.byteLength < 32) throw new RangeError('Cannot sign uploads: the key is shorter than 32 bytes')
    this.#keyId = keyId
    this.#key = key
  }

  decorate(request: DecoratedRequest): void {
    const date = new Date().toISOString() // of this attempt: a retry is signed anew
    const signature = createHmac('sha256', this.#key)
      .update(`${request.method}\n${request.url.pathname}${request.url.search}\n${date}\n`)
      .update(request.body)
      .digest('base64')
    request.headers.set('x-date', date)
    request.headers.set('authorization', `HMAC-SHA256 keyId="${this.#keyId}", signature="${signature}"`)
  }
}

test('a decorator of the user signs method, path, time and body, and a gateway can check it', async () => {
  const key = Buffer.alloc(32, 7)
  await using gateway = await startServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const expected = createHmac('sha256', key)
      .update(`${request.method}\n${request.url}\n${request.headers['x-date']}\n`)
      .update(Buffer.concat(chunks))
      .digest()
    const sent = /signature="([^"]+)"/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const given = Buffer.from(sent, 'base64')
    const valid = given.byteLength === expected.byteLength && timingSafeEqual(given, expected)
    response.writeHead(valid ? 200 : 401).end()
  })
  const url = new URL(`${gateway.origin}/ingestion/insert_block?a=1`)
  const request: DecoratedRequest = {
    method: 'POST',
    url,
    headers: new Headers(),
    body: Buffer.from('block'),
  }
  new HmacDecorator('shop', key).decorate(request)
  const send = async (body: Uint8Array): Promise<number> =>
    (await fetch(url, { method: 'POST', headers: request.headers, body })).status
  expect(await send(request.body)).toBe(200)
  expect(await send(Buffer.from('another'))).toBe(401)
})

test('the two errors of decorators tell the sink what to do by their codes', () => {
  expect(new PermanentDecoratorError('no')).toMatchObject({
    name: 'PermanentDecoratorError',
    code: 'ERR_TELEMETRY_REJECTED',
  })
  expect(new CredentialsUnavailableError('later', { retryAfterMs: 5 })).toMatchObject({
    name: 'CredentialsUnavailableError',
    code: 'ERR_TELEMETRY_UNAVAILABLE',
    retryAfterMs: 5,
    refused: false,
  })
})
