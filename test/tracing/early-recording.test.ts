import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { compileProgram } from './support/compile-program.ts'

test('before the start, 64 KiB of each kind are kept and delivered, and what comes after is not even rendered', async () => {
  const outDir = await mkdtemp(join(tmpdir(), 'early-'))
  try {
    const entry = fileURLToPath(new URL('./support/early-program.ts', import.meta.url))
    await compileProgram(entry, { outDir })
    const { stdout } = await promisify(execFile)(process.execPath, [join(outDir, 'early-program.mjs')])
    const { stats, delivered, rendered, firstIsBeforeStart } = JSON.parse(stdout)
    const LOG_BYTES = 26 + 'early 00000'.length
    expect(delivered).toEqual({
      log: stats.log.recorded,
      metrics: stats.metrics.recorded,
      cpu: stats.cpu.recorded,
      image: stats.image.recorded,
    })
    expect(stats.log.recorded).toBeGreaterThan((0.95 * 65_536) / LOG_BYTES)
    expect(stats.metrics.recorded).toBe(Math.floor(65_536 / 25))
    expect(stats.cpu.recorded).toBe(Math.floor(65_536 / 17))
    for (const { recorded, dropped } of [stats.log, stats.metrics]) expect(recorded + dropped).toBe(10_000)
    expect(rendered).toBeLessThan(stats.log.recorded + 10)
    expect(firstIsBeforeStart).toBe(true)
  } finally {
    await rm(outDir, { recursive: true, force: true })
  }
})
