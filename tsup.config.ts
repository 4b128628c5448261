import { defineConfig, type Options } from 'tsup'

const library = {
  index: 'src/index.ts',
  'interop/opentelemetry': 'src/interop/opentelemetry.ts',
  'interop/pino': 'src/interop/pino.ts',
  'interop/winston': 'src/interop/winston.ts',
  wire: 'src/wire.ts',
}

/**
 * `dependencies` stay imports of the host's tree; development dependencies that the code imports (zod)
 * are bundled, tree-shaken: a service that records telemetry installs none of them and spends none of the tens of
 * milliseconds that they take to load. The output is not minified and has no source maps: it reads like the source.
 */
const shared: Options = { target: 'node20', platform: 'node' }

export default defineConfig([
  { ...shared, entry: library, format: 'esm', splitting: true },
  // Split CommonJS would have every import() turned into require(), which cannot load packages that are ESM only.
  { ...shared, entry: library, format: 'cjs', splitting: false },
  { ...shared, entry: library, format: ['esm', 'cjs'], dts: { only: true } },
])
