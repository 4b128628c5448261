import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Packs the package once for all recipes; the path of the tarball goes to them by the environment. */
export default function pack(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-recipes-'))
  const packed = execFileSync('npm', ['pack', root, '--json', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }]
  process.env.RECIPES_TARBALL = join(folder, filename)
  return () => rmSync(folder, { recursive: true, force: true })
}
