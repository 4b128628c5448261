type Modules = {
  readonly 'node:crypto': typeof import('node:crypto')
  readonly 'node:fs': typeof import('node:fs')
  readonly 'node:http': typeof import('node:http')
  readonly 'node:module': typeof import('node:module')
  readonly 'node:url': typeof import('node:url')
  readonly 'node:worker_threads': typeof import('node:worker_threads')
  readonly 'node:zlib': typeof import('node:zlib')
}

const { getBuiltinModule } = process
const loaded = new Map<keyof Modules, Modules[keyof Modules]>()

/**
 * Modules of Node that take milliseconds to load, themselves or by what an `import` of them loads besides, and that a service
 * needs late or never: loaded when first asked for. The others are imported as usual.
 */
export function builtin<Name extends keyof Modules>(name: Name): Modules[Name] {
  let found = loaded.get(name) as Modules[Name] | undefined
  if (found === undefined) {
    found = getBuiltinModule.call(process, name) as Modules[Name]
    loaded.set(name, found)
  }
  return found
}
