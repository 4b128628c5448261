import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface BundledPackage {
  readonly name: string
  readonly version: string
}

/** In a file that is minified, where the marks are gone. */
const MINIFIED = ['@grpc/grpc-js', '@js-sdsl/ordered-map']

/** The packages of which parts are in dist, by name; the bundler marks what it takes from where. */
export function bundledPackages(root: string): BundledPackage[] {
  const names = new Set<string>(MINIFIED)
  for (const file of readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })) {
    if (!/\.c?js$/.test(file)) continue
    const text = readFileSync(join(root, 'dist', file), 'utf8')
    for (const [, name] of text.matchAll(/^\s*\/\/ .*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/gm)) {
      if (name !== undefined) names.add(name)
    }
  }
  return [...names].sort().map((name) => {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
    return { name, version }
  })
}
