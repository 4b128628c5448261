import { basename, dirname } from 'node:path'
import { transform } from 'esbuild'
import type { Options } from 'tsup'

/** What the bundler puts in the place of `require` in a module. */
const REQUIRE_IN_MODULES = /^var __require = [\s\S]*?\n\}\);\n/m

const ITS_NAME_IN_LISTS = /^ {2}__require,?\n/gm

/**
 * Makes CommonJS of modules that share chunks, which the bundler does not do by itself. `require` of a name stays what it is, so
 * that bundlers of the host can follow it.
 */
export const splitCommonJs: NonNullable<Options['plugins']>[number] = {
  name: 'split-commonjs',
  async renderChunk(code, { path }) {
    if (code.includes('./deferred-') && basename(dirname(path)) !== 'dist')
      throw new Error(`${path} would look for deferred functions beside itself, they are in dist`)
    const plain = code
      .replace(REQUIRE_IN_MODULES, '')
      .replace(ITS_NAME_IN_LISTS, '')
      .replaceAll('__require(', 'require(')
    if (plain.includes('__require')) throw new Error('the bundler writes require in an unknown way')
    return transform(plain, {
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      logOverride: { 'empty-import-meta': 'silent' },
    })
  },
}
