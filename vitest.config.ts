import { defineConfig } from 'vitest/config'
import { resolve } from './vitest.shared.ts'

/** Tests that leave nothing behind in their process share one, so that what they import is loaded once. */
const SHARED = [
  'test/{auth,bench,config,http,model,query,sink,telemetry,transit}/**/*.test.ts',
  'test/tracing/{streams,values}/**/*.test.ts',
  'server/test/**/*.test.ts',
]
/** Tests that start programs and wait for their ends take longer than all others together: `npm run test:processes`. */
const PROCESSES = ['test/**/*.process.test.ts', 'server/test/**/*.process.test.ts']
const ELSEWHERE = [
  'test/conformance/**',
  'test/faults/**',
  'test/auto-instrumentations/**',
  'test/recipes/**',
  'node_modules/**',
]

export default defineConfig({
  resolve,
  test: {
    // Servers of tests are on this machine, where telemetry is sent each second: blocks would be sealed at any time.
    env: { MICROMEGAS_FLUSH_PERIOD: '60' },
    // Advice of the provider that logins are tested against, to those who run it for real.
    onConsoleLog: (log) => !log.startsWith('oidc-provider '),
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'shared', isolate: false, include: SHARED, exclude: [...PROCESSES, ...ELSEWHERE] },
      },
      {
        extends: true,
        test: {
          name: 'own',
          include: ['test/**/*.test.ts'],
          exclude: [...SHARED, ...PROCESSES, ...ELSEWHERE],
        },
      },
      { extends: true, test: { name: 'processes', include: PROCESSES, exclude: ELSEWHERE } },
    ],
  },
})
