import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../src/main/environment.ts'
import { resolveOptions, type TelemetryOptions } from '../../src/main/telemetry-options.ts'
import { Level } from '../../src/model/level.ts'

/** Options and environment together, and what is wrong with them. */
function resolve(options: TelemetryOptions, env: NodeJS.ProcessEnv = {}) {
  const problems: string[] = []
  const environment = readEnvironment(problems, env)
  const config = resolveOptions(options, environment, { localSinkMaxLevel: Level.Info }, problems)
  return { config, environment, problems }
}

describe('options', () => {
  test('that cannot be used are told by name, each with what was expected', () => {
    const { problems } = resolve({
      telemetryUrl: 5,
      localSinkEnabled: 'yes',
      localSinkMaxLevel: 'loud',
      maxLevelOverride: 4,
      targetMaxLevels: { db: 'loud' },
      processProperties: { a: 1 },
      flushPeriodSeconds: '60',
      shutdownTimeoutMs: -1,
      sinks: [{ maxLevel: 'info' }, 5],
      decoratorFactory: {},
      maxLevl: 'info',
    } as never)
    const levels = 'expected off, fatal, error, warn, info, debug or trace'
    expect(problems.sort()).toEqual([
      'decoratorFactory: expected a function',
      'flushPeriodSeconds: expected a number of seconds above 0, up to 86400',
      'localSinkEnabled: expected true or false',
      `localSinkMaxLevel: ${levels}`,
      `maxLevelOverride: ${levels}`,
      'maxLevl: no such option',
      'processProperties.a: expected a text',
      'shutdownTimeoutMs: expected a number of milliseconds from 0 to 86400000',
      'sinks[0].sink: expected an EventSink',
      'sinks[1]: expected an object with a sink',
      `targetMaxLevels.db: ${levels}`,
      'telemetryUrl: expected a text',
    ])
  })
})

describe('exe and version of the process', () => {
  const ENV = { MICROMEGAS_PROCESS_EXE: ' shop ', MICROMEGAS_PROCESS_VERSION: '1.2.3' }

  test('are those of the options, else of the environment, else nobody says', () => {
    expect(resolve({}).config).toMatchObject({ processExe: undefined, processVersion: undefined })
    expect(resolve({}, ENV).config).toMatchObject({ processExe: 'shop', processVersion: '1.2.3' })
    const options = { processExe: 'other', processVersion: ' 4 ' }
    expect(resolve(options, ENV).config).toMatchObject({ processExe: 'other', processVersion: '4' })
    const blank = { MICROMEGAS_PROCESS_EXE: ' ', MICROMEGAS_PROCESS_VERSION: '' }
    expect(resolve({}, blank).config).toMatchObject({ processExe: undefined, processVersion: undefined })
  })

  test('that are blank or no text are refused', () => {
    expect(resolve({ processExe: ' ', processVersion: 4 as never }).problems).toEqual([
      'processExe: expected a text that is not blank',
      'processVersion: expected a text',
    ])
  })
})

describe('times', () => {
  test.each<[string, string, unknown]>([
    ['MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS', '2.01', { shutdownTimeoutMs: 2010 }],
    ['MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS', '86400', { shutdownTimeoutMs: 86_400_000 }],
    ['MICROMEGAS_FLUSH_PERIOD', '0.29', { flushPeriodMs: 290 }],
    ['MICROMEGAS_FLUSH_PERIOD', '0.0000001', { flushPeriodMs: 1 }],
  ])('of %s=%s are whole milliseconds', (name, value, expected) => {
    const { config, problems } = resolve({}, { [name]: value })
    expect(problems).toEqual([])
    expect(config).toMatchObject(expected as object)
  })

  test.each<[string | undefined, number]>([
    [undefined, 60_000],
    ['https://telemetry.example.com', 60_000],
    ['http://127.evil.example', 60_000],
    ['not a url', 60_000],
    ['http://127.0.0.1:9000', 1000],
    ['http://[::1]:9000', 1000],
    ['http://localhost', 1000],
  ])('until events are sent, unless they are set: %s is waited for %d ms', (telemetryUrl, flushPeriodMs) => {
    const environment = telemetryUrl === undefined ? {} : { MICROMEGAS_TELEMETRY_URL: telemetryUrl }
    expect(resolve({}, environment).config).toMatchObject({ flushPeriodMs })
    const set = { ...environment, MICROMEGAS_FLUSH_PERIOD: '7' }
    expect(resolve({}, set).config).toMatchObject({ flushPeriodMs: 7000 })
    expect(resolve({ flushPeriodSeconds: 8 }, set).config).toMatchObject({ flushPeriodMs: 8000 })
  })

  test('of requests are whole milliseconds too', () => {
    const name = 'MICROMEGAS_TELEMETRY_REQUEST_TIMEOUT_SECS'
    expect(resolve({}, { [name]: '1.001' }).environment.requestTimeoutMs).toBe(1001)
    expect(resolve({}, { [name]: '0.0001' }).environment.requestTimeoutMs).toBe(1)
  })

  test.each(['86400.1', '0', '-1', 'Infinity', 'NaN', '1e3', '1,5', 'five', '0x10'])(
    'of %s seconds are refused by every variable',
    (value) => {
      const names = [
        'MICROMEGAS_FLUSH_PERIOD',
        'MICROMEGAS_TELEMETRY_REQUEST_TIMEOUT_SECS',
        'MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS',
      ]
      const { problems } = resolve({}, Object.fromEntries(names.map((name) => [name, value])))
      const expected = names.map((name) => `${name}: expected a number of seconds above 0, up to 86400`)
      expect(problems.sort()).toEqual(expected)
    },
  )

  test.each<[TelemetryOptions, string]>([
    [{ flushPeriodSeconds: 0 }, 'flushPeriodSeconds'],
    [{ flushPeriodSeconds: Number.POSITIVE_INFINITY }, 'flushPeriodSeconds'],
    [{ flushPeriodSeconds: Number.NaN }, 'flushPeriodSeconds'],
    [{ flushPeriodSeconds: 86_401 }, 'flushPeriodSeconds'],
    [{ flushPeriodSeconds: '60' as never }, 'flushPeriodSeconds'],
    [{ shutdownTimeoutMs: -1 }, 'shutdownTimeoutMs'],
    [{ shutdownTimeoutMs: Number.POSITIVE_INFINITY }, 'shutdownTimeoutMs'],
    [{ shutdownTimeoutMs: 86_400_001 }, 'shutdownTimeoutMs'],
  ])('of %j are refused', (options, name) => {
    expect(resolve(options).problems).toEqual([expect.stringMatching(`^${name}: `)])
  })

  test('of the options may be fractions', () => {
    const { config, problems } = resolve({ flushPeriodSeconds: 0.0005, shutdownTimeoutMs: 1500.2 })
    expect(problems).toEqual([])
    expect(config).toMatchObject({ flushPeriodMs: 1, shutdownTimeoutMs: 1501 })
  })
})

describe('levels by target', () => {
  const NAME = 'MICROMEGAS_TARGET_MAX_LEVELS'

  test('are patterns, in the variable as in the option', () => {
    const levels = { 'shop.*': Level.Warn, '*': Level.Error, db: Level.Off, net: Level.Warn }
    const variable = resolve({}, { [NAME]: ' shop.*=warn, *=error ,db=off,,net=WARNING ' })
    expect(variable.problems).toEqual([])
    expect({ ...variable.config.targetMaxLevels }).toEqual(levels)
    const option = resolve({
      targetMaxLevels: { 'shop.*': 'warn', '*': 'error', db: 'off', net: 'WARNING' as never },
    })
    expect(option.problems).toEqual([])
    expect(option.config.targetMaxLevels).toEqual(levels)
  })

  test.each([
    ['*.db=warn', "target '*.db': expected a text, or its beginning with a '*' at the end"],
    ['shop.=warn', "target 'shop.' ends with '.': expected 'shop' or 'shop.*'"],
    ['=warn', 'entry 1 has an empty key'],
    ['shop', "entry 1 has no '='"],
    ['db=trace,shop:warn', "entry 2 has no '='"],
    ['shop=loud', "level of target 'shop': expected off, fatal, error, warn, info, debug or trace"],
    ['shop=', "level of target 'shop': expected off, fatal, error, warn, info, debug or trace"],
    ['shop=warn=info', "level of target 'shop': expected off, fatal, error, warn, info, debug or trace"],
  ])('that would do nothing are refused: %s', (value, problem) => {
    expect(resolve({}, { [NAME]: value }).problems).toEqual([`${NAME}: ${problem}`])
  })

  test('that would do nothing are refused as an option too', () => {
    const { problems } = resolve({ targetMaxLevels: { '*.db': 'warn', 'shop.': 'warn', '': 'warn' } })
    expect(problems).toEqual([
      "targetMaxLevels: target '*.db': expected a text, or its beginning with a '*' at the end",
      "targetMaxLevels: target 'shop.' ends with '.': expected 'shop' or 'shop.*'",
      'targetMaxLevels: a target is empty',
    ])
  })
})

describe('what is uploaded', () => {
  const uploaded = (options: TelemetryOptions, env: NodeJS.ProcessEnv = {}) =>
    resolve(options, env).config.telemetrySinkMaxLevel

  test('is debug, or more where more is recorded', () => {
    expect(uploaded({})).toBe(Level.Debug)
    expect(uploaded({}, { MICROMEGAS_MAX_LEVEL: 'warn' })).toBe(Level.Debug)
    expect(uploaded({}, { MICROMEGAS_MAX_LEVEL: 'trace' })).toBe(Level.Trace)
    expect(uploaded({}, { MICROMEGAS_TARGET_MAX_LEVELS: 'db=trace' })).toBe(Level.Trace)
    expect(uploaded({ maxLevelOverride: 'trace' })).toBe(Level.Trace)
    expect(uploaded({ targetMaxLevels: { 'db.*': 'trace' } })).toBe(Level.Trace)
  })

  test('is what is said of it', () => {
    const all = { MICROMEGAS_MAX_LEVEL: 'trace', MICROMEGAS_TELEMETRY_SINK_MAX_LEVEL: 'info' }
    expect(uploaded({}, all)).toBe(Level.Info)
    expect(uploaded({ telemetrySinkMaxLevel: 'warn' }, all)).toBe(Level.Warn)
    expect(uploaded({ telemetrySinkMaxLevel: 'off' }, all)).toBe(Level.Off)
  })
})
