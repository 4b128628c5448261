import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packPackage } from '../../../scripts/pack-package.ts'

/** Packs the package once for all recipes; the path of the tarball goes to them by the environment. */
export default function pack(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-recipes-'))
  process.env.RECIPES_TARBALL = packPackage(folder).path
  return () => rmSync(folder, { recursive: true, force: true })
}
