import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Child, type Ended } from './support/child.ts'

/** Nobody listens there. */
const DEAD = { MICROMEGAS_TELEMETRY_URL: 'http://127.0.0.1:9' }

function run(way: string, options: object = {}, env: Record<string, string> = {}): Promise<Ended> {
  return new Child('diagnostics.mjs', env, [way, JSON.stringify(options)]).ended
}

describe('what the package says of itself', () => {
  test('goes to the standard error stream, one line each', async () => {
    const { stderr } = await run('service', {}, DEAD)
    const lines = stderr.trim().split('\n')
    expect(lines.length).toBeGreaterThan(2)
    for (const line of lines) expect(line).toMatch(/^micromegas: /)
    expect(stderr).toContain('without authentication')
    expect(stderr).toContain('events were not delivered')
    expect(stderr).toContain('2 events were recorded after telemetry was shut down')
  })

  test.each([
    ['the option', 'service', { diagnostics: false }, DEAD],
    ['the variable', 'service', {}, { ...DEAD, MICROMEGAS_DIAGNOSTICS: 'off' }],
    ['the option, over the variable', 'service', { diagnostics: false }, { MICROMEGAS_DIAGNOSTICS: 'on' }],
    ['the variable, also with no URL', 'service', {}, { MICROMEGAS_DIAGNOSTICS: 'Off ' }],
    ['the variable, also for sinks made by hand', 'by hand', {}, { MICROMEGAS_DIAGNOSTICS: '0' }],
  ])('goes nowhere where %s says so', async (_what, way, options, env) => {
    expect(await run(way, options, env)).toMatchObject({ code: 0, stderr: '' })
  })

  test('goes to a function, and nowhere else', async () => {
    const { stderr, stdout } = await run('service', { hook: true }, DEAD)
    expect(stderr).toBe('')
    const heard = JSON.parse(stdout) as string[]
    expect(heard).toContainEqual(expect.stringMatching(/^micromegas: .*without authentication$/))
    expect(heard.join()).not.toContain('\n')
  })

  test('of sinks made by hand goes there too, and what goes wrong all the time is said seldom', async () => {
    const heard = JSON.parse((await run('by hand', { hook: true })).stdout) as string[]
    expect(heard).toContainEqual(expect.stringMatching(/not delivered/))
    expect(heard.filter((message) => message.includes('a sink that breaks its contract'))).toHaveLength(1)
  })

  test('costs the host nothing where the function throws', async () => {
    expect(await run('service', { hook: 'throws' }, DEAD)).toMatchObject({ code: 0, stderr: '' })
  })

  test('does not end a process whose standard error stream nobody reads any more', async () => {
    const child = new Child('diagnostics.mjs', DEAD, ['noisy'])
    child.process.stderr!.destroy()
    expect(await child.ended).toMatchObject({ code: 0, stdout: 'went on' })
  })
})

describe('a configuration that cannot be used is shown whatever is said', () => {
  test.each([{ MICROMEGAS_DIAGNOSTICS: 'off' }, {}])('%j', async (env) => {
    const options = { flushPeriodSeconds: -1, diagnostics: false }
    const ended = await new Child('configuration.mjs', env, [JSON.stringify(options)]).ended
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('flushPeriodSeconds') })
  })

  test('also that of the variable itself', async () => {
    const ended = await new Child('configuration.mjs', { MICROMEGAS_DIAGNOSTICS: 'quiet' }).ended
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('MICROMEGAS_DIAGNOSTICS: expected on or off')
  })
})

test('nothing else in the package writes to the console or the standard error stream', () => {
  const root = fileURLToPath(new URL('../../src/', import.meta.url))
  // The commands and the login talk to whoever runs them; the console sink shows logs; a fatal error is the application's.
  const talks = /^(cli|auth\/login|sink\/console)\/|^config\/diagnostics\.ts$|^main\/ends\/fatal\.ts$/
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !talks.test(file))
    .filter((file) => {
      const code = readFileSync(join(root, file), 'utf8').replace(/^\s*(\*|\/\/|\/\*).*$/gm, '')
      return /console\.(log|info|warn|error|debug)\(|process\.(stderr|emitWarning)|\bstderr\.write/.test(code)
    })
  expect(found).toEqual([])
})
