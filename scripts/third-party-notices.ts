/**
 * Writes `THIRD-PARTY-NOTICES.md`: the packages of which parts are bundled into dist, with their licences. Run it by
 * `npm run notices` when a bundled package is added or updated; `npm run test:package` tells when it was forgotten.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundledPackages } from './bundled-packages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

function licenceOf(name: string): string {
  const folder = join(root, 'node_modules', name)
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry))
  if (file === undefined) throw new Error(`Cannot find the licence of ${name}`)
  return readFileSync(join(folder, file), 'utf8').trim()
}

const sections = bundledPackages(root).map(
  ({ name, version }) => `## ${name} ${version}\n\n${licenceOf(name)}\n`,
)
writeFileSync(
  join(root, 'THIRD-PARTY-NOTICES.md'),
  `# Third-party notices\n\nThe published package contains, bundled, parts of these packages.\n\n${sections.join('\n')}`,
)
