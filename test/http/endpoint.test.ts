import { expect, test } from 'vitest'
import { resolveEndpoint } from '../../src/http/endpoint.ts'

test.each([
  ['http://localhost:9000', 'http://localhost:9000/ingestion/insert_block'],
  ['http://localhost:9000/', 'http://localhost:9000/ingestion/insert_block'],
  ['https://host/base/path', 'https://host/base/path/ingestion/insert_block'],
  ['https://host/base/path///', 'https://host/base/path/ingestion/insert_block'],
  ['  http://[::1]:9000/x ', 'http://[::1]:9000/x/ingestion/insert_block'],
  ['HTTPS://HOST:443', 'https://host/ingestion/insert_block'],
])('the base URL %s posts blocks to %s', (base, expected) => {
  expect(resolveEndpoint(base).insertUrls.block.href).toBe(expected)
})

test('a URL object is taken as it is', () => {
  const endpoint = resolveEndpoint(new URL('http://localhost:9000/base/'))
  expect(endpoint.insertUrls.process.href).toBe('http://localhost:9000/base/ingestion/insert_process')
  expect(endpoint.insertUrls.stream.href).toBe('http://localhost:9000/base/ingestion/insert_stream')
  expect(endpoint).toMatchObject({ label: 'http://localhost:9000/base', origin: 'http://localhost:9000' })
})

test.each([
  ['', /it is empty/],
  ['localhost:9000', /begins with localhost:/],
  ['not a url', /no absolute URL/],
  ['ftp://host', /begins with ftp:/],
  ['http://user:hunter2@host', /credentials/],
  ['http://:hunter2@host', /credentials/],
  ['http://host/?token=hunter2', /query/],
  ['http://host/#hunter2', /fragment/],
  ['http://user:hunter2@host:99999', /no absolute URL/],
])('the URL %s is refused and not repeated', (url, why) => {
  const attempt = (): unknown => resolveEndpoint(url)
  expect(attempt).toThrow(
    expect.objectContaining({ code: 'ERR_TELEMETRY_CONFIG', message: expect.stringMatching(why) }),
  )
  expect(attempt).not.toThrow(/hunter2/)
})
