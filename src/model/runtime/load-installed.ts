import { builtin } from './builtins.ts'
import { platformClock } from './clock.ts'

/**
 * Loads a package from where it is installed. The name is not written into the call: a bundler would follow it, to a native
 * library that it refuses, or to CommonJS that does not run in a module. By `require`, which `import` of CommonJS takes 4 MiB
 * and some milliseconds more than, for a lexer; in a turn of the event loop of its own, after what runs now.
 *
 * @param variables - Set while it is loaded, for what reads the environment then; those that are set keep their values.
 * @throws What loading it throws: it is not installed, as beside a bundle, not built for this platform, or kept out by
 * Node's permission model.
 */
export async function loadInstalled<T>(
  name: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<T> {
  await new Promise<void>((resolve) => platformClock.soon(resolve))
  // The name of this file is the bundle's in a bundle.
  const { createRequire } = builtin('node:module')
  const require = createRequire(typeof __filename === 'string' ? __filename : import.meta.url)
  const added = Object.keys(variables).filter((variable) => process.env[variable] === undefined)
  for (const variable of added) process.env[variable] = variables[variable]
  try {
    return require(name) as T
  } finally {
    for (const variable of added) delete process.env[variable]
  }
}
