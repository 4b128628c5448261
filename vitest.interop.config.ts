import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { resolve } from './vitest.shared.ts'

/**
 * The built package (`npm run test:interop` builds it) beside OpenTelemetry's auto-instrumentations, which the first run
 * installs under node_modules/.cache: some 100 MB for each generation of them.
 */
const config: ViteUserConfig = defineConfig({
  resolve,
  test: {
    include: ['test/auto-instrumentations/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    pool: 'forks',
  },
})
export default config
