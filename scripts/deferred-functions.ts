import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Options } from 'tsup'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

const FOLDER = resolve('src/deferred')
const RE_EXPORT = /export \{([^}]+)\} from '([^']+)'/g

interface Deferred {
  /** The file that has the functions. */
  readonly file: string
  readonly functions: readonly string[]
}

/** The modules whose functions are in files of `src/deferred`, by their paths. */
function deferredModules(): ReadonlyMap<string, Deferred> {
  const modules = new Map<string, Deferred>()
  for (const name of readdirSync(FOLDER)) {
    for (const [, names, path] of readFileSync(join(FOLDER, name), 'utf8').matchAll(RE_EXPORT)) {
      const functions = names!.split(',').flatMap((part) => part.trim() || [])
      modules.set(resolve(FOLDER, path!), { file: basename(name, '.ts'), functions })
    }
  }
  return modules
}

/** Entries for those files. */
export function deferredEntries(): Record<string, string> {
  const files = readdirSync(FOLDER).map((name) => basename(name, '.ts'))
  return Object.fromEntries(files.map((file) => [`deferred-${file}`, `src/deferred/${file}.ts`]))
}

/**
 * Puts functions in the place of those that files of `src/deferred` export: the first call loads the file. Whoever imports
 * something else from such a module fails to build.
 */
export const deferredFunctions: Plugin = {
  name: 'deferred-functions',
  setup(build) {
    const modules = deferredModules()
    build.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, importer }) => {
      const module = resolve(resolveDir, path)
      return modules.has(module) && dirname(importer) !== FOLDER
        ? { path: module, namespace: 'deferred' }
        : undefined
    })
    build.onLoad({ filter: /.*/, namespace: 'deferred' }, ({ path }) => {
      const { file, functions } = modules.get(path)!
      const stubs = functions.map(
        (name) => `export function ${name}(...args) { return load().${name}(...args) }`,
      )
      const load = `let loaded\nconst load = () => (loaded ??= require('./deferred-${file}.cjs'))`
      return { contents: [load, ...stubs].join('\n'), loader: 'js' }
    })
    build.onResolve({ filter: /^\.\/deferred-.*\.cjs$/ }, ({ path }) => ({ path, external: true }))
  },
}
