import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { resolveOptions as resolveServerOptions } from '../../server/src/options.ts'
import { resolveOidcOptions } from '../../src/auth/oidc/oidc-options.ts'
import { readEnvironment } from '../../src/main/environment.ts'
import { resolveOptions } from '../../src/main/telemetry-options.ts'
import { Level, levelName } from '../../src/model/level.ts'
import { resolveHttpEventSinkOptions } from '../../src/sink/http-event-sink-options.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the code of the named rooms, or the pages of the documentation, say of variables of this product. */
function variablesIn(paths: readonly string[]): string[] {
  const texts = paths.map((path) => readFileSync(path, 'utf8'))
  return [...new Set(texts.flatMap((text) => text.match(/MICROMEGAS_[A-Z\d_]+/g) ?? []))].sort()
}

function filesOf(folder: string, extension: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => join(root, folder, file))
}

const pages = [join(root, 'README.md'), ...filesOf('docs', '.md')]

test('every variable that the code reads is in the documentation', () => {
  const rooms = ['src/main', 'src/sink', 'src/http', 'src/interop', 'server/src']
  const auth = filesOf('src/auth', '.ts').filter((file) => !file.includes('login'))
  const documented = new Set(variablesIn(pages))
  const read = variablesIn([...auth, ...rooms.flatMap((room) => filesOf(room, '.ts'))])
  const isAsking = (name: string): boolean => /^MICROMEGAS_ANALYTICS_/.test(name) // of the query client's own pages
  expect(read.filter((name) => !documented.has(name) && !isAsking(name))).toEqual([])
  expect(read.length).toBeGreaterThan(30)
})

test('every variable in the documentation is read by the code', () => {
  const read = new Set(variablesIn([...filesOf('src', '.ts'), ...filesOf('server/src', '.ts')]))
  expect(variablesIn(pages).filter((name) => !read.has(name))).toEqual([])
})

/** The cells of the table rows in which a setting is the first that is named, as the documentation shows defaults. */
function documentedDefault(page: string, setting: string): string | undefined {
  const lines = readFileSync(join(root, page), 'utf8').split('\n')
  const row = lines.find((line) => line.startsWith('|') && line.includes(`\`${setting}\``))
  return row?.split(' | ').at(-1)?.replace(/ ?\|$/, '').replaceAll('`', '').trim()
}

const MIB = 1024 * 1024

describe('the defaults in docs/configuration.md', () => {
  const environment = readEnvironment([], {})
  const config = resolveOptions({}, environment, { localSinkMaxLevel: Level.Info }, [])
  const toThisMachine = { telemetryUrl: 'http://127.0.0.1:9000' }
  const local = resolveOptions(toThisMachine, environment, { localSinkMaxLevel: Level.Info }, [])
  const sink = resolveHttpEventSinkOptions({})

  test.each<[string, string]>([
    ['MICROMEGAS_REQUIRE_TLS', String(config.requireTls)],
    ['MICROMEGAS_MAX_LEVEL', levelName(config.maxLevel)],
    ['MICROMEGAS_LOCAL_SINK_MAX_LEVEL', `${levelName(config.localSinkMaxLevel)}; debug in micromegasMain`],
    ['MICROMEGAS_TELEMETRY_SINK_MAX_LEVEL', 'debug, or more if more is recorded'],
    ['MICROMEGAS_ENABLE_CPU_TRACING', String(config.cpuTracing)],
    ['MICROMEGAS_SPAN_PROPERTIES', String(config.spanProperties)],
    ['MICROMEGAS_LOG_SPAN_IDS', String(config.logSpanIds)],
    ['MICROMEGAS_SYSTEM_METRICS', String(config.systemMetrics)],
    [
      'MICROMEGAS_FLUSH_PERIOD',
      `${config.flushPeriodMs / 1000}; ${local.flushPeriodMs / 1000} where the server is on this machine`,
    ],
    ['MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS', String(config.shutdownTimeoutMs / 1000)],
    [
      'MICROMEGAS_TELEMETRY_MAX_QUEUE_BYTES',
      `${sink.maxQueueBytes / MIB} MiB, ${sink.hardQueueBytes / MIB} MiB`,
    ],
    ['MICROMEGAS_TELEMETRY_MAX_IN_FLIGHT_REQUESTS', String(sink.maxInFlightRequests)],
    ['MICROMEGAS_TELEMETRY_REQUEST_TIMEOUT_SECS', String(sink.requestTimeoutMs / 1000)],
    ['MICROMEGAS_TELEMETRY_SPOOL_DIR', `off, ${sink.spoolMaxBytes / 1024 / MIB} GiB`],
    ['localSinkEnabled', `${config.localSinkEnabled}, environment`],
    ['interopMaxLevel', levelName(config.interopMaxLevel)],
    ['cpuTracing', `environment, environment, environment, environment, ${config.installLogCapture}`],
  ])('of %s is that of the code', (setting, expected) => {
    expect(documentedDefault('docs/configuration.md', setting)).toBe(expected)
  })

  test('name every option', () => {
    const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8')
    const source = readFileSync(join(root, 'src/main/telemetry-options.ts'), 'utf8')
    const members = /interface TelemetryOptions \{(.*?)\n\}/s.exec(source)?.[1] ?? ''
    const options = [...members.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name!)
    expect(options.length).toBeGreaterThan(15)
    expect(options.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })
})

/** The members of an interface that have a number for a default in their comment, as `5_000` or `4 GiB`. */
function commentedDefaults(file: string, name: string): [member: string, value: number][] {
  const source = readFileSync(join(root, file), 'utf8')
  const body = new RegExp(`interface ${name}\\b[^{]*\\{(.*?)\\n\\}`, 's').exec(source)?.[1] ?? ''
  const found: [string, number][] = []
  for (const [, comment, member] of body.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\s*readonly (\w+)\??:/gs)) {
    const [, number, unit = ''] =
      /@defaultValue `?([\d_]+)(?![\d_.])`?(?: ([MG]iB))?/.exec(comment!.replaceAll(/\n\s+\*/g, '')) ?? []
    if (number === undefined) continue
    const factor = unit === 'GiB' ? 1024 * MIB : unit === 'MiB' ? MIB : 1
    found.push([member!, Number(number.replaceAll('_', '')) * factor])
  }
  return found
}

describe('the default in the comment', () => {
  const sink = resolveHttpEventSinkOptions({})
  const oidc = resolveOidcOptions({ issuer: 'https://login.test', clientId: 'shop', clientSecret: 's' })
  if (!('config' in oidc)) throw new TypeError('the options are not those of a client')
  const { tokenBufferMs, ...oidcConfig } = oidc.config
  const server = resolveServerOptions({ disableAuth: true })

  test.each<[string, string, object, number]>([
    ['src/sink/http-event-sink-options.ts', 'HttpEventSinkOptions', sink, 9],
    ['src/sink/http-event-sink-options.ts', 'RetryOptions', sink.metadataRetry, 2],
    ['src/sink/http-event-sink-options.ts', 'BlocksRetryOptions', sink.blocksRetry, 1],
    [
      'src/auth/oidc/oidc-options.ts',
      'OidcClientCredentialsOptions',
      { ...oidcConfig, tokenBufferSeconds: tokenBufferMs / 1000 },
      3,
    ],
    ['server/src/options.ts', 'ServerOptions', server, 4],
  ])('of each member, in %s %s, is that of the code', (file, name, config, count) => {
    const defaults = commentedDefaults(file, name)
    expect(defaults.length).toBeGreaterThanOrEqual(count)
    for (const [member, value] of defaults) {
      expect([member, (config as Record<string, unknown>)[member]]).toEqual([member, value])
    }
  })
})
