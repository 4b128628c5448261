import { defineConfig } from 'tsup'

/**
 * `dependencies` stay imports of the host's tree; development dependencies that the code imports (zod, hono, commander)
 * are bundled, tree-shaken: a service that records telemetry installs none of them and spends none of the tens of
 * milliseconds that they take to load.
 */
export default defineConfig({
  entry: {
    index: 'src/index.ts',
    ingestion: 'src/ingestion/index.ts',
    'micromegas-ingestion': 'src/ingestion/cli.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  splitting: true,
  dts: true,
  sourcemap: true,
  clean: true,
})
