import commonjs from '@rollup/plugin-commonjs'
import { nodeResolve } from '@rollup/plugin-node-resolve'

const plugins = [nodeResolve({ exportConditions: ['node'] }), commonjs()]
const output = (format, extension) => ({
  dir: `out/rollup-${format}`,
  format,
  entryFileNames: `app.${extension}`,
  chunkFileNames: `[name].${extension}`,
})

export default [
  { input: 'app.mjs', output: output('es', 'mjs'), plugins },
  { input: 'app.mjs', output: output('cjs', 'cjs'), plugins },
]
