import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defineConfig, type Options } from 'tsup'
import { DECLARATION_BANNER } from './scripts/declaration-banner.ts'
import { deferredEntries, deferredFunctions } from './scripts/deferred-functions.ts'
import { splitCommonJs } from './scripts/split-commonjs.ts'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

const library = {
  index: 'src/index.ts',
  http: 'src/interop/http.ts',
  'interop/opentelemetry': 'src/interop/opentelemetry.ts',
  'interop/pino': 'src/interop/pino.ts',
  'interop/winston': 'src/interop/winston.ts',
  wire: 'src/wire.ts',
}
/** What bundlers take. */
const bundled = { ...library, register: 'src/register/bundled.ts' }
const { 'deferred-start': start = '', ...deferred } = deferredEntries()
const { index, wire, ...bridges } = library
/** What Node loads where telemetry is started, if it does. */
const afterStart = {
  ...bridges,
  ...deferred,
  register: 'src/register/require.ts',
  'register-import': 'src/register/import.ts',
}
/** What Node loads. */
const loaded = { index, wire, 'deferred-start': start, ...afterStart }

/**
 * `dependencies` stay imports of the host's tree; development dependencies that the code imports (zod, cborg, p-retry,
 * openid-client, grpc-js, flechette) are bundled, tree-shaken: a service that records telemetry installs none of them,
 * spends none of the tens of milliseconds that they take to load, and can be bundled in its turn. The output is not
 * minified and has no source maps: it reads like the source.
 */
const shared: Options = {
  target: 'node20',
  platform: 'node',
  removeNodeProtocol: false,
  inject: ['scripts/text-encoding.ts'],
  // `npm run --silent build`, as other scripts build first.
  silent: process.env.npm_config_loglevel === 'silent',
}

const withoutImport: NonNullable<Options['esbuildOptions']> = (options) => {
  // require() instead: test runners that run CommonJS in a context of their own have no import().
  options.supported = { ...options.supported, 'dynamic-import': false }
  options.logOverride = { ...options.logOverride, 'empty-import-meta': 'silent' } // asked for in modules only
}
const commonJs: Options = { format: 'cjs', splitting: false, esbuildOptions: withoutImport }

/** The same in files that share what they have in common. */
const splitInCommonJs: Options = {
  format: 'esm',
  splitting: true,
  outExtension: () => ({ js: '.cjs' }),
  esbuildOptions: withoutImport,
  plugins: [splitCommonJs],
}

const query = { query: 'src/query/index.ts' }
const commands = {
  micromegas: 'src/cli/bin/micromegas.ts',
  'micromegas-query': 'src/cli/bin/micromegas-query.ts',
  'micromegas-logout': 'src/cli/bin/micromegas-logout.ts',
  'query-processes': 'src/cli/bin/query-processes.ts',
  'query-process-log': 'src/cli/bin/query-process-log.ts',
  'query-process-metrics': 'src/cli/bin/query-process-metrics.ts',
  'write-perfetto': 'src/cli/bin/write-perfetto.ts',
}
/** Commander is CommonJS, and requires modules of Node. */
const requireInModules =
  "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url)"
/** gRPC is a file of its own, minified, in one copy for both formats. Only the query entry loads it. */
const grpc = { 'grpc-js': 'src/query/flight/grpc-js.ts' }

/** Leaves gRPC to that file. */
const grpcApart: Plugin = {
  name: 'grpc-apart',
  setup(build) {
    build.onResolve({ filter: /\/grpc-js\.ts$/ }, () => ({ path: './grpc-js.cjs', external: true }))
  },
}

/**
 * The same for commands, which nobody bundles: they require that file. To import CommonJS, Node reads all of it for the names
 * that it exports, which takes 20 ms.
 */
const grpcRequired: Plugin = {
  name: 'grpc-required',
  setup(build) {
    build.onResolve({ filter: /\/grpc-js\.ts$/ }, () => ({ path: 'grpc-js', namespace: 'required' }))
    build.onResolve({ filter: /\/grpc-js\.cjs$/ }, ({ path }) => ({ path, external: true }))
    build.onLoad({ filter: /.*/, namespace: 'required' }, () => ({
      contents: "module.exports = require('./grpc-js.cjs')",
    }))
  },
}

/**
 * What talks to identity providers is a file of its own, in one copy: as CommonJS, whose imports are all of one file, it would
 * be read by every start.
 */
const openidClient = { 'openid-client': 'src/auth/oidc/openid-client.ts' }

/** Leaves openid-client to that file. */
const openidClientApart: Plugin = {
  name: 'openid-client-apart',
  setup(build) {
    build.onResolve({ filter: /\/openid-client\.ts$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: './openid-client.cjs', external: true },
    )
  },
}

/** What `register` requires is the entry of that name: the bundler would wrap all that the two have in common. */
const bridgeApart: Plugin = {
  name: 'bridge-apart',
  setup(build) {
    build.onResolve({ filter: /\/interop\/opentelemetry\.ts$/ }, ({ kind }) =>
      kind === 'require-call' ? { path: './interop/opentelemetry.cjs', external: true } : undefined,
    )
  },
}

/** Commands read the environment by themselves, and load what logs in only where somebody does. */
const noClientFromEnvironment: Plugin = {
  name: 'no-client-from-environment',
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/]query[\\/]environment\.ts$/ }, () => ({
      contents:
        'export function clientOptionsFromEnv() { throw new Error("commands read the environment themselves") }',
    }))
  },
}

/**
 * gRPC loads its loader of .proto files, and with it protobufjs, for its diagnostic services alone, which are switched off
 * here: a third of its size.
 */
const noProtoLoader: Plugin = {
  name: 'no-proto-loader',
  setup(build) {
    build.onResolve({ filter: /^@grpc\/proto-loader/ }, ({ path }) => ({
      path,
      namespace: 'no-proto-loader',
    }))
    build.onLoad({ filter: /.*/, namespace: 'no-proto-loader' }, () => ({
      contents: 'throw new Error("the diagnostic services of gRPC are not in this package")',
    }))
  },
}

/**
 * Makes entries lead to all that another entry loads. What they share is then one file instead of a dozen: a module costs more
 * by being a file than by its size.
 */
function leadTo(base: string, entries: Readonly<Record<string, string>>): Plugin {
  const paths = new Set(Object.values(entries).map((entry) => resolve(entry)))
  paths.delete(resolve(base))
  return {
    name: `lead-to-${base}`,
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) =>
        paths.has(path)
          ? {
              contents: `${await readFile(path, 'utf8')}\nimport ${JSON.stringify(resolve(base))}`,
              loader: 'ts',
            }
          : undefined,
      )
    },
  }
}

export default defineConfig([
  // For Node, imported or required.
  {
    ...shared,
    ...splitInCommonJs,
    entry: loaded,
    esbuildPlugins: [
      deferredFunctions,
      openidClientApart,
      bridgeApart,
      leadTo(index, { start, wire }),
      leadTo(start, afterStart),
    ],
  },
  // For bundlers, which leave out what is not used.
  {
    ...shared,
    entry: bundled,
    format: 'esm',
    outDir: 'dist/esm',
    splitting: true,
    esbuildPlugins: [leadTo(index, bundled)],
  },
  // Built apart from the rest: a client of queries adds nothing to what a service loads, not even a chunk.
  { ...shared, entry: query, format: 'esm', splitting: false, esbuildPlugins: [grpcApart] },
  { ...shared, entry: query, ...commonJs, esbuildPlugins: [grpcApart, openidClientApart] },
  {
    ...shared,
    entry: commands,
    inject: [], // node:util, which they do not need, takes milliseconds to load as a module
    format: 'esm',
    splitting: true,
    esbuildPlugins: [grpcRequired, noClientFromEnvironment],
    banner: { js: requireInModules },
    esbuildOptions: (options) => {
      options.chunkNames = 'cli-[hash]'
    },
  },
  { ...shared, entry: openidClient, format: 'cjs' },
  {
    ...shared,
    entry: grpc,
    format: 'cjs',
    minify: true,
    noExternal: [/.*/],
    esbuildPlugins: [noProtoLoader],
  },
  {
    ...shared,
    entry: { ...bundled, ...query },
    format: ['esm', 'cjs'],
    dts: { only: true, banner: DECLARATION_BANNER },
  },
])
