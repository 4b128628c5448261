import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { resolve } from './vitest.shared.ts'

/** Services of web frameworks under `micromegas/register` (`npm run test:frameworks` builds the package). */
const config: ViteUserConfig = defineConfig({
  resolve,
  test: {
    include: ['test/frameworks/**/*.frameworks.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    pool: 'forks',
  },
})
export default config
