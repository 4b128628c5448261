import { join } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** A project with OpenTelemetry's packages, from the test that runs this. */
const folder = join(process.env.OPENTELEMETRY_PROJECT ?? '', 'node_modules/@opentelemetry')
const PACKAGES = ['api', 'core', 'context-async-hooks', 'sdk-metrics', 'sdk-trace']

/** The tests of the bridge, with OpenTelemetry's packages of another generation than this repository's. */
const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: PACKAGES.map((name) => ({
      find: new RegExp(`^@opentelemetry/${name}$`),
      replacement: join(folder, name, 'dist/index.mjs'),
    })),
  },
  test: {
    include: ['test/interop/opentelemetry/*.test.ts'],
    testTimeout: 20_000,
    pool: 'forks',
    server: { deps: { inline: [/@opentelemetry/] } }, // one copy of each, for whoever imports it
  },
})
export default config
