import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ApiKeyRequestDecorator } from '../../src/auth/api-key-request-decorator.ts'
import { TelemetryError } from '../../src/model/errors.ts'
import { authorizationOf, rejection, uploadRequest } from './support/requests.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'micromegas-key-'))
})
afterEach(() => rm(directory, { recursive: true }))

const noSignal = new AbortController().signal

function configErrorOf(make: () => unknown): TelemetryError {
  try {
    make()
  } catch (error) {
    if (error instanceof TelemetryError && error.code === 'ERR_TELEMETRY_CONFIG') return error
    throw error
  }
  throw new Error('expected ERR_TELEMETRY_CONFIG')
}

test('the key goes into the Authorization header as it is, without waiting', () => {
  const request = uploadRequest()
  expect(new ApiKeyRequestDecorator('mmk_a b~1').decorate(request, noSignal)).toBeUndefined()
  expect(request.headers.get('authorization')).toBe('Bearer mmk_a b~1')
})

test('white space and a newline around the key are dropped: a header could not carry them', async () => {
  expect(await authorizationOf(new ApiKeyRequestDecorator(' mmk_1\r\n'))).toBe('Bearer mmk_1')
  expect(
    await authorizationOf(ApiKeyRequestDecorator.fromEnv({ MICROMEGAS_INGESTION_API_KEY: 'mmk_1\n' })),
  ).toBe('Bearer mmk_1')
})

test.each(['', '  \n', 'ké\u0301y', 'two\nlines', 'bell\u0007', 'emoji😀'])(
  'the key %j is a configuration error that names the variable and hides the value',
  (key) => {
    const error = configErrorOf(() => ApiKeyRequestDecorator.fromEnv({ MICROMEGAS_INGESTION_API_KEY: key }))
    expect(error.message).toContain('MICROMEGAS_INGESTION_API_KEY')
    if (key.trim() !== '') expect(error.message).not.toContain(key)
    expect(configErrorOf(() => new ApiKeyRequestDecorator(key)).message).toContain('apiKey')
  },
)

test('no key at all, or a key and a file, is a configuration error', () => {
  expect(configErrorOf(() => ApiKeyRequestDecorator.fromEnv({})).message).toContain('is not set')
  const both = { MICROMEGAS_INGESTION_API_KEY: 'mmk_1', MICROMEGAS_INGESTION_API_KEY_FILE: '/x' }
  expect(configErrorOf(() => ApiKeyRequestDecorator.fromEnv(both)).message).toContain('not both')
})

test('a key in a file is read again when a symlink swap, as Kubernetes makes it, changes it', async () => {
  const data = (version: string): string => join(directory, version)
  for (const version of ['v1', 'v2']) {
    await mkdir(data(version))
    await writeFile(join(data(version), 'key'), `mmk_${version}\n`)
  }
  await symlink('v1', join(directory, '..data'))
  const path = join(directory, 'key')
  await symlink(join('..data', 'key'), path)
  const decorator = ApiKeyRequestDecorator.fromEnv({ MICROMEGAS_INGESTION_API_KEY_FILE: path })
  expect(await authorizationOf(decorator)).toBe('Bearer mmk_v1')

  await symlink('v2', join(directory, '..data_tmp'))
  await rename(join(directory, '..data_tmp'), join(directory, '..data'))
  expect(await authorizationOf(decorator)).toBe('Bearer mmk_v2')
})

test('a key that is rewritten in place, with the same length, is used with the next request', async () => {
  const path = join(directory, 'key')
  await writeFile(path, 'mmk_1')
  const decorator = ApiKeyRequestDecorator.fromFile(path)
  for (let n = 2; n < 10; n++) {
    await writeFile(path, `mmk_${n}`)
    expect(await authorizationOf(decorator)).toBe(`Bearer mmk_${n}`)
  }
})

test('a file that vanishes, is emptied or spoilt later leaves the last key in use, said once per trouble', async () => {
  const path = join(directory, 'key')
  await writeFile(path, '\uFEFFmmk_1\r\n')
  const warnings: string[] = []
  const decorator = ApiKeyRequestDecorator.fromFile(path, {
    setting: 'KEY_FILE',
    warn: (text) => warnings.push(text),
  })

  await rm(path)
  expect(await authorizationOf(decorator)).toBe('Bearer mmk_1')
  expect(await authorizationOf(decorator)).toBe('Bearer mmk_1')
  await writeFile(path, '\n')
  expect(await authorizationOf(decorator)).toBe('Bearer mmk_1')
  await writeFile(path, 'canary\u0007')
  expect(await authorizationOf(decorator)).toBe('Bearer mmk_1')
  expect(warnings).toEqual([
    expect.stringMatching(/^micromegas: KEY_FILE names a file that does not exist; the last secret/),
    expect.stringContaining('KEY_FILE names an empty file'),
    expect.stringContaining('KEY_FILE names a file whose content has characters'),
  ])
  expect(warnings.join()).not.toContain('canary')

  await writeFile(path, 'mmk_2')
  expect(await authorizationOf(decorator)).toBe('Bearer mmk_2')
  await rm(path)
  expect(await authorizationOf(decorator)).toBe('Bearer mmk_2')
  expect(warnings).toHaveLength(4)
})

test.each([
  ['missing', async () => {}, 'does not exist'],
  ['empty', (path: string) => writeFile(path, '\n'), 'names an empty file'],
  ['a directory', (path: string) => mkdir(path), 'not a regular file'],
  ['too large', (path: string) => writeFile(path, 'x'.repeat(64 * 1024 + 1)), 'more than 65536 bytes'],
  ['not fit for a header', (path: string) => writeFile(path, 'a\nb'), 'cannot carry'],
])('a key file that is %s at the start is a clear configuration error', async (_state, prepare, words) => {
  const path = join(directory, 'key')
  await prepare(path)
  const error = configErrorOf(() =>
    ApiKeyRequestDecorator.fromEnv({ MICROMEGAS_INGESTION_API_KEY_FILE: path }),
  )
  expect(error.message).toMatch(new RegExp(`MICROMEGAS_INGESTION_API_KEY_FILE .*${words}`))
})

test('a key file of 64 KiB is the largest that is read', async () => {
  const path = join(directory, 'key')
  await writeFile(path, 'x'.repeat(64 * 1024))
  expect(await authorizationOf(ApiKeyRequestDecorator.fromFile(path))).toHaveLength(
    'Bearer '.length + 64 * 1024,
  )
})

test('a refused key is read again, so that the retry carries the one in the file', async () => {
  const path = join(directory, 'key')
  await writeFile(path, 'mmk_1')
  const decorator = ApiKeyRequestDecorator.fromFile(path)
  await authorizationOf(decorator)
  await writeFile(path, 'mmk_2')
  await decorator.onRejected()
  expect(await authorizationOf(decorator)).toBe('Bearer mmk_2')
})

test('the wait for a key file ends with the signal of the request', async () => {
  const path = join(directory, 'key')
  await writeFile(path, 'mmk_1')
  const decorator = ApiKeyRequestDecorator.fromFile(path)
  const reason = new Error('too late')
  expect(await rejection(authorizationOf(decorator, AbortSignal.abort(reason)))).toBe(reason)
})
