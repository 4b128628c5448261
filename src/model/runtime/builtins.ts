type Modules = {
  readonly 'node:async_hooks': typeof import('node:async_hooks')
  readonly 'node:buffer': typeof import('node:buffer')
  readonly 'node:crypto': typeof import('node:crypto')
  readonly 'node:diagnostics_channel': typeof import('node:diagnostics_channel')
  readonly 'node:events': typeof import('node:events')
  readonly 'node:fs': typeof import('node:fs')
  readonly 'node:http': typeof import('node:http')
  readonly 'node:http2': typeof import('node:http2')
  readonly 'node:module': typeof import('node:module')
  readonly 'node:net': typeof import('node:net')
  readonly 'node:os': typeof import('node:os')
  readonly 'node:path': typeof import('node:path')
  readonly 'node:perf_hooks': typeof import('node:perf_hooks')
  readonly 'node:stream': typeof import('node:stream')
  readonly 'node:timers': typeof import('node:timers')
  readonly 'node:url': typeof import('node:url')
  readonly 'node:util': typeof import('node:util')
  readonly 'node:util/types': typeof import('node:util/types')
  readonly 'node:worker_threads': typeof import('node:worker_threads')
  readonly 'node:zlib': typeof import('node:zlib')
}

const { getBuiltinModule } = process
const loaded = new Map<keyof Modules, Modules[keyof Modules]>()

/**
 * A module of Node, for what every service loads. An `import` of one costs a third of a millisecond, and that of `node:util`
 * four, even where Node has it loaded: as an ES module it is made anew. Those that take long to load themselves (`crypto`,
 * `http`, `worker_threads`, `zlib`) are asked for where they are first needed.
 */
export function builtin<Name extends keyof Modules>(name: Name): Modules[Name] {
  let found = loaded.get(name) as Modules[Name] | undefined
  if (found === undefined) {
    found = getBuiltinModule.call(process, name) as Modules[Name]
    loaded.set(name, found)
  }
  return found
}
