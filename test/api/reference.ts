/** Fails where the reference in `docs/reference` is not what the doc comments make of it: part of `npm test`. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const typedoc = join(dirname(createRequire(import.meta.url).resolve('typedoc/package.json')), 'bin/typedoc')

/** The pages of a folder: their text by their path. */
function pagesOf(folder: string): ReadonlyMap<string, string> {
  const names = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.md'))
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}

const fresh = mkdtempSync(join(tmpdir(), 'micromegas-reference-'))
try {
  execFileSync(process.execPath, [typedoc, '--logLevel', 'Error', '--out', fresh], {
    cwd: root,
    stdio: 'inherit',
  })
  const [made, kept] = [pagesOf(fresh), pagesOf(join(root, 'docs/reference'))]
  const stale = [...new Set([...made.keys(), ...kept.keys()])].filter(
    (name) => made.get(name) !== kept.get(name),
  )
  if (stale.length > 0) {
    console.error(`docs/reference is not up to date, run npm run api: ${stale.join(', ')}`)
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true })
}
