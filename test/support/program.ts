import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { resolve } from '../../vitest.shared.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Below `node_modules`, so that programs find the packages that they import. */
const folder = join(root, 'node_modules/.cache/test-programs')
const built = new Map<string, string>()

/**
 * A program of a test as one file that Node runs as it is. A loader of TypeScript would take half a second of processor time
 * in each process, which is more than most programs here take.
 *
 * @param source - Its TypeScript file.
 * @returns Where it is now.
 */
export function program(source: string | URL): string {
  const path = source instanceof URL ? fileURLToPath(source) : source
  const known = built.get(path)
  if (known !== undefined) return known
  mkdirSync(folder, { recursive: true })
  const outfile = join(folder, `${basename(path, '.ts')}-${process.pid}.mjs`)
  buildSync({
    entryPoints: [path],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    alias: resolve.alias as Record<string, string>,
    logLevel: 'error',
  })
  built.set(path, outfile)
  return outfile
}
