import { defineConfig, type Options } from 'tsup'
import { DECLARATION_BANNER } from '../scripts/declaration-banner.ts'

const shared: Options = {
  target: 'node20',
  platform: 'node',
  format: 'esm',
  // `npm run --silent build`, as other scripts build first.
  silent: process.env.npm_config_loglevel === 'silent',
}

/** Dependencies stay imports. ESM only: every supported Node version can `require` it. */
export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      'micromegas-server': 'src/command/cli.ts',
      'engine-worker': 'src/sql/worker/engine-worker.ts',
    },
    splitting: true,
  },
  { ...shared, entry: { index: 'src/index.ts' }, dts: { only: true, banner: DECLARATION_BANNER } },
])
