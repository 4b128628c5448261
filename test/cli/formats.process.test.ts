import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startServer, type TestServer } from '../../server/test/support/server.ts'
import { ESCAPES, SHOP, startRecordedShop } from './support/recorded-shop.ts'
import { CONTROL, home, type RunOptions, runCommand, transcript } from './support/run-command.ts'

let server: TestServer
beforeAll(async () => {
  server = await startRecordedShop()
})
afterAll(async () => server?.[Symbol.asyncDispose]())

const run = (words: readonly string[], { env, ...options }: RunOptions = {}) =>
  runCommand(words, { ...options, env: { MICROMEGAS_ANALYTICS_URI: server.flightUri, ...env } })

const BOTH = 'select level, target, msg, properties from log_entries order by time, level'

describe('the formats', { timeout: 60_000 }, () => {
  test.concurrent.for(['csv', 'json', 'ndjson'])('%s piped and on a terminal', async (format, { expect }) => {
    const words = ['micromegas', 'query', BOTH, '--format', format]
    const piped = await run(words)
    expect(piped.stdout).toContain(format === 'csv' ? ESCAPES : '\\u001b[2J')
    const shown = await run(words, { columns: 80, env: { FORCE_COLOR: '1' } })
    expect(shown.stdout).not.toMatch(CONTROL)
    await expect(`${transcript(words, piped)}\n${transcript(words, shown)}`).toMatchFileSnapshot(
      `golden/format-${format}.txt`,
    )
  })

  test.concurrent('json is JSON, and ndjson is as many lines as rows', async ({ expect }) => {
    const json = await run(['micromegas', 'log', SHOP, '--format', 'json'])
    expect(JSON.parse(json.stdout).map((row: { level: number }) => row.level)).toEqual([4, 3, 2, 6])
    const { stdout } = await run(['micromegas', 'metrics', SHOP, '--format', 'ndjson'])
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows.map(({ value }) => value)).toEqual([1, 2, 3, 4, 90])
  })

  test.concurrent('arrow is a stream that others read, and is refused on a terminal', async ({ expect }) => {
    const file = join(home, 'work', 'rows.arrow')
    const words = ['micromegas', 'query', BOTH, '--format', 'arrow']
    await run(words, { stdoutFile: file })
    expect(tableFromIPC(readFileSync(file)).numRows).toBe(5)
    const refused = await run(words, { columns: 80 })
    expect(refused.stdout).toBe('micromegas: Cannot show --format arrow on a terminal: send it to a file\n')
    expect(refused.code).toBe(2)
  })

  test.concurrent('SQL comes from a file and from the standard input', async ({ expect }) => {
    const typed = await run(['micromegas', 'query', '-', '--format', 'csv'], { input: 'select 1 as a' })
    expect(typed.stdout).toBe('a\n1\n')
    const missing = await run(['micromegas', 'query', '--file', 'none.sql'])
    expect(missing).toEqual({ stdout: '', stderr: 'micromegas: Cannot read none.sql: ENOENT\n', code: 2 })
  })
})

describe('colours', { timeout: 60_000 }, () => {
  const ESCAPE = '\u001b['
  test.concurrent.for<[RunOptions, string[], boolean]>([
    [{}, [], false],
    [{}, ['--color', 'always'], true],
    [{}, ['--color'], true],
    [{ env: { FORCE_COLOR: '1' } }, [], true],
    [{ columns: 80 }, [], true],
    [{ columns: 80, env: { NO_COLOR: '1' } }, [], false],
    [{ columns: 80, env: { NO_COLOR: '1' } }, ['--color', 'always'], true],
    [{ columns: 80, env: { NO_COLOR: '' } }, ['--color', 'auto'], true],
    [{ columns: 80, env: { TERM: 'dumb' } }, [], false],
    [{ columns: 80 }, ['--color', 'never'], false],
    [{ columns: 80 }, ['--no-color'], false],
  ])('with %j and %j: %s', async ([options, flags, expected], { expect }) => {
    const log = await run(['micromegas', 'log', SHOP, ...flags], options)
    expect(log.stdout.includes(ESCAPE)).toBe(expected)
    const tail = await run(
      ['micromegas', 'tail', '--once', '--since', '2023-12-31T00:00:00Z', ...flags],
      options,
    )
    expect(tail.stdout.includes(ESCAPE)).toBe(expected)
  })
})

describe('the end of a command', { timeout: 60_000 }, () => {
  const USAGE = [
    ['nope'],
    ['log'],
    ['log', 'x'],
    ['log', SHOP, '--last', '0'],
    ['log', SHOP, '--max-level', 'loud'],
    ['log', SHOP, '--format', 'xml'],
    ['log', SHOP, '--color', 'red'],
    ['query'],
    ['query', 'select 1', '--all', '--begin', '1h'],
    ['query', 'select 1', '--begin', 'yesterday'],
    ['tail', '--kind', 'span'],
    ['trace', SHOP, '--spans', 'some'],
    ['partitions', 'retire', 'log_entries'],
    ['processes', '--uri', 'ftp://x'],
    ['processes', '--profile', 'none'],
    ['completion', 'tcsh'],
  ]
  test.concurrent.for(USAGE)('is 2 for a wrong command line: %s %s %s %s', async (words, { expect }) => {
    const outcome = await run(['micromegas', ...words])
    expect(outcome).toMatchObject({ stdout: '', code: 2 })
    expect(outcome.stderr).toMatch(/^(error|micromegas): \S/)
  })

  test.concurrent('is 1 for SQL that the server refuses; its text acts on no terminal', async ({
    expect,
  }) => {
    const words = ['micromegas', 'query', `select "${ESCAPES}" from log_entries`]
    const piped = await run(words)
    expect(piped).toMatchObject({ stdout: '', code: 1 })
    expect(piped.stderr).toContain('line 1, column 8')
    const shown = await run(words, { columns: 80 })
    expect(shown.stdout).not.toMatch(CONTROL)
    expect(shown.code).toBe(1)
  })

  test.concurrent('is 1 where no server listens', async ({ expect }) => {
    const outcome = await run(['micromegas', 'processes', '--uri', 'grpc://127.0.0.1:1'])
    expect(outcome).toMatchObject({ stdout: '', code: 1 })
    expect(outcome.stderr).toMatch(/^micromegas: .*127\.0\.0\.1:1/)
  })

  test.concurrent('is 3 where the server refuses the key', async ({ expect }) => {
    await using closed = await startServer({ apiKeys: [{ name: 'ci', key: 'mmk_right' }] })
    const env = { MICROMEGAS_ANALYTICS_URI: closed.flightUri, MICROMEGAS_ANALYTICS_API_KEY: 'mmk_wrong' }
    const outcome = await run(['micromegas', 'query', 'select 1'], { env })
    expect(outcome).toMatchObject({ stdout: '', code: 3 })
    expect(outcome.stderr).not.toContain('mmk_wrong')
  })

  test.concurrent('is 130 for Ctrl-C', async ({ expect }) => {
    const outcome = await run(['micromegas', 'tail', '--since', '2023-12-31T00:00:00Z'], {
      interruptAfter: 'listening on port 8000',
    })
    expect(outcome.code).toBe(130)
    expect(outcome.stderr).toBe('')
  })

  test.concurrent('is quiet when the reader has gone', async ({ expect }) => {
    const many = 'select a.i from range(1000) a(i), range(1000) b(j)'
    for (const format of ['table', 'csv', 'json', 'ndjson', 'arrow']) {
      const outcome = await run(['micromegas', 'query', many, '--format', format], { closeAfter: 100 })
      expect({ format, ...outcome, stdout: '' }).toEqual({ format, stdout: '', stderr: '', code: 0 })
    }
  })
})

describe('commands that write files', { timeout: 60_000 }, () => {
  test.concurrent.for([
    [['micromegas', 'trace', SHOP, '-o', 'a.perfetto'], 'a.perfetto'],
    [['write_perfetto', SHOP, '--filename', 'b.perfetto'], 'b.perfetto'],
  ] as const)('%j writes a trace', async ([words, name], { expect }) => {
    const outcome = await run(words)
    const file = join(home, 'work', name)
    const bytes = readFileSync(file)
    expect(outcome).toEqual({
      stdout: '',
      stderr: `Wrote ${name}, ${bytes.length} bytes; open it at https://ui.perfetto.dev\n`,
      code: 0,
    })
    expect(bytes.includes('charge')).toBe(true)
  })

  test.concurrent('a trace shows logs and metrics unless told otherwise', async ({ expect }) => {
    const has = async (file: string, ...flags: string[]): Promise<boolean[]> => {
      await run(['micromegas', 'trace', SHOP, '-o', file, ...flags])
      const bytes = readFileSync(join(home, 'work', file))
      return ['charge', 'Logs', 'Metrics '].map((text) => bytes.includes(text))
    }
    expect(await has('d.perfetto')).toEqual([true, true, true])
    expect(await has('e.perfetto', '--no-logs')).toEqual([true, false, true])
    expect(await has('f.perfetto', '--no-metrics', '--spans', 'thread')).toEqual([true, true, false])
  })

  test.concurrent('a process that is not there leaves no file', async ({ expect }) => {
    const unknown = '00000000-0000-4000-8000-0000000000ff'
    const outcome = await run(['micromegas', 'trace', unknown, '-o', 'none.perfetto'])
    expect(outcome).toMatchObject({ stdout: '', code: 1 })
    expect(existsSync(join(home, 'work', 'none.perfetto'))).toBe(false)
  })

  test.concurrent('progress is shown on a terminal only, and cleared', async ({ expect }) => {
    const { stdout } = await run(['micromegas', 'trace', SHOP, '-o', 'c.perfetto'], { columns: 80 })
    expect(stdout).toMatch(/\[Kc\.perfetto: \d+ KiB.*\[KWrote c\.perfetto/s)
  })
})
