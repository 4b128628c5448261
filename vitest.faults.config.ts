import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { resolve } from './vitest.shared.ts'

/**
 * The fault matrix: real processes that use the built package (`npm run test:faults` builds it) against real faults.
 * Most rows wait rather than work, so two run at a time. With them run the tests that take long because they do much: `*.soak.ts`.
 */
const config: ViteUserConfig = defineConfig({
  resolve,
  test: {
    include: [
      'test/faults/**/*.test.ts',
      'server/test/faults/**/*.faults.ts',
      'test/**/*.soak.ts',
      'server/test/**/*.soak.ts',
    ],
    env: { MICROMEGAS_FLUSH_PERIOD: '60' }, // as in vitest.config.ts
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
export default config
