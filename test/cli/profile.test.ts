import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readProfile } from '../../src/cli/profile.ts'

const folder = mkdtempSync(join(tmpdir(), 'micromegas-profile-'))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0
function config(value: unknown): string {
  const path = join(folder, `${count++}.json`)
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
  return path
}

const PROD = {
  uri: 'grpc+tls://prod:443',
  client_id: 'cli',
  issuers: [{ issuer: 'https://login.test', audience: 'telemetry' }],
}
const BOTH = { profiles: { prod: PROD, dev: { uri: 'grpc://dev:50051' } }, default_profile: 'dev' }

test('without a file there is an empty profile', async () => {
  expect(await readProfile(undefined, {}, join(folder, 'none.json'))).toMatchObject({
    name: undefined,
    uri: undefined,
  })
})

test('the flag wins over the variable, the variable over the default of the file', async () => {
  const path = config(BOTH)
  expect(await readProfile(undefined, {}, path)).toMatchObject({ name: 'dev', uri: 'grpc://dev:50051' })
  expect(await readProfile(undefined, { MICROMEGAS_PROFILE: 'prod' }, path)).toMatchObject({ name: 'prod' })
  expect(await readProfile('prod', { MICROMEGAS_PROFILE: 'dev' }, path)).toEqual({
    name: 'prod',
    uri: 'grpc+tls://prod:443',
    clientId: 'cli',
    issuer: 'https://login.test',
    audience: 'telemetry',
    scope: undefined,
  })
})

test('a file without profiles is one profile', async () => {
  expect(await readProfile(undefined, {}, config({ ...PROD, unknown: 1 }))).toMatchObject({ uri: PROD.uri })
})

test.each([
  [BOTH, 'nope', /profile nope: .* has prod, dev/],
  [BOTH, 'toString', /profile toString/],
  [BOTH, '../x', /letters, digits, dots/],
  ['{', undefined, /is not JSON/],
  [{ profiles: [] }, undefined, /Cannot read .*profiles/],
])('%j with the profile %j is an error that says why', async (value, flag, message) => {
  await expect(readProfile(flag as string | undefined, {}, config(value))).rejects.toThrow(message as RegExp)
})
