import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { transformSync } from 'esbuild'
import { afterAll, describe, expect, test } from 'vitest'
import { readSamples } from './samples.ts'

/** The samples use the built packages, as readers do: `npm test` builds them first. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'micromegas-samples-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
const samples = readSamples(root).map((sample) => {
  const file = `${sample.place.replace(/\W+/g, '-')}.mts`
  writeFileSync(join(folder, file), sample.code)
  const program = file.replace('.mts', '.mjs')
  const { code } = transformSync(sample.code, { loader: 'ts', target: 'node20' })
  writeFileSync(join(folder, program), code)
  return { ...sample, file, program }
})

describe('the samples of the documentation', { timeout: 120_000 }, () => {
  test('are typed', async () => {
    const options = {
      target: 'es2022',
      module: 'nodenext',
      moduleResolution: 'nodenext',
      lib: ['es2023', 'esnext.disposable'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      strict: true,
      skipLibCheck: true,
      noEmit: true,
    }
    const files = samples.map(({ file }) => file)
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }))
    const { stdout } = await run('npx', ['tsc', '-p', join(folder, 'tsconfig.json')], { cwd: root }).catch(
      (error: { stdout: string }) => error,
    )
    expect(stdout).toBe('')
  }, 120_000)

  const runnable = samples.filter(({ typesOnly }) => !typesOnly)
  test.concurrent.each(runnable)('$place runs', async ({ program }) => {
    const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('MICROMEGAS_'))
    const { stdout, stderr } = await run(process.execPath, [program], {
      cwd: folder,
      env: Object.fromEntries(environment),
    })
    expect({ stdout, stderr }).toMatchObject({ stderr: expect.not.stringContaining('Error') })
  })
})
