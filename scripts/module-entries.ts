/**
 * Writes the entries that Node imports: they hand on what CommonJS exports. One copy of the package then runs however it is
 * loaded, it starts in half the time, and records faster, for the engine treats what modules share as something that may
 * change. Run by `npm run build`.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const dist = resolve('dist')
const require = createRequire(import.meta.url)

/** The entries that bundlers have too. */
const entries = readdirSync(join(dist, 'esm'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.js') && existsSync(join(dist, file.replace(/\.js$/, '.cjs'))))
  .map((file) => file.replace(/\.js$/, ''))

for (const entry of entries) {
  const name = entry.split('/').at(-1)!
  if (name === 'register') {
    writeFileSync(join(dist, `${entry}.js`), `import './register-import.cjs'\n`)
    continue
  }
  const exported = new Set(Object.keys(require(join(dist, `${entry}.cjs`)) as object))
  const lines = [`import entry from './${name}.cjs'`]
  if (exported.delete('default')) lines.push('export default entry.default')
  lines.push(`export const { ${[...exported].sort().join(', ')} } = entry`)
  writeFileSync(join(dist, `${entry}.js`), `${lines.join('\n')}\n`)
}
