/**
 * Loads a package from where it is installed. The name is not written into the call: a bundler would follow it, to a native
 * library that it refuses, or to CommonJS that does not run in a module.
 *
 * @throws What loading it throws: it is not installed, as beside a bundle, not built for this platform, or kept out by
 * Node's permission model.
 */
export async function loadInstalled<T>(name: string): Promise<T> {
  // CommonJS: also where import() does not work, as in jest. The name of this file is the bundle's in a bundle.
  if (typeof __filename === 'string') {
    const { createRequire } = process.getBuiltinModule('node:module')
    return createRequire(__filename)(name)
  }
  const module_ = await import(/* webpackIgnore: true */ /* @vite-ignore */ name)
  return module_.default ?? module_
}
