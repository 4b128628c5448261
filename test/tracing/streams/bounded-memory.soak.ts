import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { program as built } from '../../support/program.ts'
import type { FloodResult } from '../support/flood.ts'

const MIB = 2 ** 20
/** More than any table remembers, but for that of templates. */
const COUNT = 9000

const program = built(new URL('../support/flood.ts', import.meta.url))

test('ever new names, texts, templates and property sets are recorded in bounded memory', {
  timeout: 120_000,
}, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, String(COUNT)], {
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FloodResult)
  expect(results.length).toBe(16)
  for (const { name, events, kept, grown } of results) {
    expect(events % (2 * COUNT), `${name}: every event is in a block`).toBe(0)
    expect(events, name).toBeGreaterThan(0)
    expect(kept, `${name}: heap held by what is remembered`).toBeLessThan(32 * MIB)
    expect(grown, `${name}: heap held by what comes after`).toBeLessThan(4 * MIB)
  }
})
