import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Holds the SDK to the published Rust crates; needs `cargo`. The first run fetches and compiles them. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/conformance/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 900_000,
    pool: 'forks',
  },
})
export default config
