import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const LZ4 = JSON.stringify(new URL('../../../src/telemetry/lz4/lz4.ts', import.meta.url).href)
const VARIABLE = 'MIMALLOC_GENERIC_COLLECT'

/** What the library's allocator says of itself as it is loaded, and the variable afterwards. */
function load(env: NodeJS.ProcessEnv): { readonly told: string; readonly after: string } {
  const script = `
    const { loadCompressFrame } = await import(${LZ4})
    const compress = await loadCompressFrame()
    await compress(Buffer.alloc(10_000))
    process.stdout.write(String(process.env.${VARIABLE}))`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', script],
    { encoding: 'utf8', env: { ...process.env, MIMALLOC_VERBOSE: '1', ...env } },
  )
  return { told: /'generic_collect': (\d+)/.exec(stderr)?.[1] ?? stderr, after: stdout }
}

test("the library's allocator is told to collect often, and nobody else is", () => {
  expect(load({ [VARIABLE]: undefined })).toEqual({ told: '16', after: 'undefined' })
})

test('what the host says of it stays', () => {
  expect(load({ [VARIABLE]: '99' })).toEqual({ told: '99', after: '99' })
})
