import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { knownVariables, misspeltVariables } from '../../src/config/misspelt-variables.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('the variables that are known are those that the code of both packages reads', () => {
  const files = ['src', 'server/src'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('misspelt-variables.ts'))
      .map((file) => join(root, folder, file)),
  )
  const read = files.flatMap((file) => readFileSync(file, 'utf8').match(/MICROMEGAS_[A-Z\d_]+/g) ?? [])
  expect(knownVariables().sort()).toEqual([...new Set(read)].filter((name) => !name.endsWith('_')).sort())
})

describe('a variable that is almost one of ours', () => {
  it.each([
    ['MICROMEGAS_TELEMETRY_ULR', 'MICROMEGAS_TELEMETRY_URL'],
    ['MICROMEGAS_TELEMETRYURL', 'MICROMEGAS_TELEMETRY_URL'],
    ['MICROMEGAS_URL', 'MICROMEGAS_TELEMETRY_URL'],
    ['micromegas_telemetry_url', 'MICROMEGAS_TELEMETRY_URL'],
    ['MICROMEGAS_FLUSH_PERIOD_SECS', 'MICROMEGAS_FLUSH_PERIOD'],
    ['MICROMEGAS_FLUSH_PERIODS', 'MICROMEGAS_FLUSH_PERIOD'],
    ['MICROMEGAS_CPU_TRACING', 'MICROMEGAS_ENABLE_CPU_TRACING'],
    ['MICROMEGAS_INGESTION_KEY', 'MICROMEGAS_INGESTION_API_KEY'],
    ['MICROMEGAS_OIDC_SECRET', 'MICROMEGAS_OIDC_CLIENT_SECRET'],
    ['MICROMEGAS_LEVEL_MAX', 'MICROMEGAS_MAX_LEVEL'],
  ])('%s is told', (name, meant) => {
    expect(misspeltVariables({ [name]: 'a secret', PATH: '/bin' })).toEqual([
      `${name} is set, and no variable of micromegas: is ${meant} meant?`,
    ])
  })

  it.each([
    'MICROMEGAS_TELEMETRY_URL',
    'MICROMEGAS_SQL_CONNECTION_STRING',
    'MICROMEGAS_OBJECT_STORE_URI',
    'MICROMEGAS_INGESTION_SERVICE_HOST',
    'MICROMEGAS_INGESTION_SERVICE_PORT_HTTP',
    'MICROMEGAS_INGESTION_PORT_8081_TCP_ADDR',
    'MICROMEGAS_',
    'MICROMEGASX',
    'MY_TELEMETRY_ULR',
  ])('%s is not', (name) => {
    expect(misspeltVariables({ [name]: 'x' })).toEqual([])
  })

  it('is told a few times at the most', () => {
    const env = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`MICROMEGAS_URL_${i}`, '']))
    expect(misspeltVariables({ ...env, MICROMEGAS_URLS: '' }).length).toBeLessThanOrEqual(10)
  })
})
