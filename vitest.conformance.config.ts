import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { resolve } from './vitest.shared.ts'

/** Holds the SDK to the published Rust crates; needs `cargo`. The first run fetches and compiles them. */
const config: ViteUserConfig = defineConfig({
  resolve,
  test: {
    include: ['test/conformance/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 900_000,
    pool: 'forks',
  },
})
export default config
