import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { resolve } from './vitest.shared.ts'

/** Holds the query client to pyarrow's Flight server; started by `npm run test:python`. */
const config: ViteUserConfig = defineConfig({
  resolve,
  test: {
    include: ['test/query/python/**/*.python.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
})
export default config
