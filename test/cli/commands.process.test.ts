import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { TestServer } from '../../server/test/support/server.ts'
import { HOSTILE, SHOP, startRecordedShop } from './support/recorded-shop.ts'
import { CONTROL, type RunOptions, runCommand, transcript } from './support/run-command.ts'

let server: TestServer
beforeAll(async () => {
  server = await startRecordedShop()
})
afterAll(async () => server?.[Symbol.asyncDispose]())

const run = (words: readonly string[], { env, ...options }: RunOptions = {}) =>
  runCommand(words, { ...options, env: { MICROMEGAS_ANALYTICS_URI: server.flightUri, ...env } })

const SINCE = ['--since', '2023-12-31T00:00:00Z']
/** Each command that shows data or says something that does not depend on the day. */
const COMMANDS: Readonly<Record<string, readonly string[][]>> = {
  processes: [
    ['micromegas', 'processes', ...SINCE],
    ['query_processes', ...SINCE, '--username', 'ALICE', '--exe', 'checkout', '--computer', 'host1'],
    ['query_processes', ...SINCE, '--username', "x' OR 1=1 --"],
  ],
  log: [
    ['micromegas', 'log', SHOP],
    ['micromegas', 'log', SHOP, '--max-level', 'warn', '--last', '1'],
    ['query_process_log', SHOP, '--first', '1', '--target', 'shop'],
    ['query_process_log', SHOP, '--target', "x' OR 1=1 --"],
    ['query_process_log', SHOP, '--target', "o'CLOCK"],
    ['micromegas', 'log', HOSTILE],
  ],
  metrics: [
    ['micromegas', 'metrics', SHOP],
    ['query_process_metrics', SHOP, '--stats'],
    ['query_process_metrics', SHOP, '--name', "x' OR 1=1 --"],
  ],
  query: [
    ['micromegas', 'query', 'select target, count(*) as n from log_entries group by target order by target'],
    ['micromegas-query', "select 1 as a, 'x' as b, null as c"],
    ['micromegas', 'query', 'select msg from log_entries', '--begin', '1h'],
  ],
  tail: [
    ['micromegas', 'tail', '--once', ...SINCE],
    ['micromegas', 'tail', '--once', ...SINCE, '--target', "x' OR 1=1 --"],
    ['micromegas', 'tail', '--once', ...SINCE, '--kind', 'metric', '--process', SHOP],
  ],
  tokens: [
    ['micromegas', 'logout'],
    ['micromegas_logout'],
    ['micromegas', 'whoami'],
    ['micromegas', 'login'],
  ],
  partitions: [
    ['micromegas', 'partitions', 'list', '--view', 'no such view'],
    [
      'micromegas',
      'partitions',
      'retire',
      'log_entries',
      '--begin',
      '2020-01-01T00:00:00Z',
      '--end',
      '2020-01-02T00:00:00Z',
    ],
    ...['materialize', 'regenerate'].map((action) => [
      'micromegas',
      'partitions',
      action,
      'log_entries',
      '--begin',
      '2020-01-01T00:00:00Z',
      '--end',
      '2020-01-01T02:00:00Z',
    ]),
    ['micromegas', 'partitions', 'materialize', 'no such view', '--begin', '2020-01-01T00:00:00Z'],
  ],
}

describe.each(Object.entries(COMMANDS))('the output of %s', { timeout: 120_000 }, (name, commands) => {
  test.concurrent.for<[string, RunOptions]>([
    ['piped', {}],
    ['terminal', { columns: 160 }],
    ['narrow', { columns: 60, env: { NO_COLOR: '1' } }],
  ])(`%s is as in golden/${name}`, async ([where, options], { expect }) => {
    let shown = ''
    for (const words of commands) {
      const outcome = await run(words, options)
      const withoutColors = stripVTControlCharacters(outcome.stdout + outcome.stderr)
      if (where !== 'piped') expect(withoutColors).not.toMatch(CONTROL)
      if (where === 'narrow') expect(outcome.stdout).toBe(withoutColors)
      shown += `${transcript(words, outcome)}\n`
    }
    await expect(shown).toMatchFileSnapshot(`golden/${name}-${where}.txt`)
  })
})
