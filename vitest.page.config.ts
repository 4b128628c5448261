import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { resolve } from './vitest.shared.ts'

/** The page of the server in Chromium; started by `npm run test:page`. */
const config: ViteUserConfig = defineConfig({
  resolve,
  test: {
    include: ['server/test/browser/**/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})
export default config
