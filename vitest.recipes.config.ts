import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { resolve } from './vitest.shared.ts'

/**
 * The recipes of docs/frameworks/: each example with its packages from the registry beside the packed package, and what
 * arrives at a server (`npm run test:recipes` builds first).
 */
const config: ViteUserConfig = defineConfig({
  resolve,
  test: {
    include: ['test/recipes/**/*.test.ts'],
    globalSetup: 'test/recipes/support/pack.ts',
    testTimeout: 120_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
export default config
