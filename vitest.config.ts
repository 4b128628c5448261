import { defineConfig } from 'vitest/config'
import { resolve } from './vitest.shared.ts'

export default defineConfig({
  resolve,
  test: {
    include: ['test/**/*.test.ts', 'server/test/**/*.test.ts'],
    exclude: [
      'test/conformance/**',
      'test/faults/**',
      'test/auto-instrumentations/**',
      'test/recipes/**',
      'node_modules/**',
    ],
    // Servers of tests are on this machine, where telemetry is sent each second: blocks would be sealed at any time.
    env: { MICROMEGAS_FLUSH_PERIOD: '60' },
    // Advice of the provider that logins are tested against, to those who run it for real.
    onConsoleLog: (log) => !log.startsWith('oidc-provider '),
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
