import { pino } from 'pino'
import { expect, test } from 'vitest'
import { micromegasPinoStream } from '../../src/interop/pino.ts'
import { Level } from '../../src/model/level.ts'
import { startRecording } from './support/recording.ts'

const SYSLOG = { emerg: 0, alert: 1, crit: 2, error: 3, warning: 4, notice: 5, info: 6, debug: 7 }

test.each([
  ['numbers', {}],
  ['labels', { formatters: { level: (level: string) => ({ level }) } }],
  ['labels in capitals', { formatters: { level: (label: string) => ({ level: label.toUpperCase() }) } }],
  ['another field', { formatters: { level: (severity: string) => ({ severity }) } }],
])('levels that are numbered as syslog does are recorded by their names: %s', async (_title, options) => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  const log = pino(
    { customLevels: SYSLOG, useOnlyCustomLevels: true, level: 'debug', levelComparison: 'DESC', ...options },
    stream,
  )
  const names = ['emerg', 'alert', 'crit', 'error', 'warning', 'notice', 'info', 'debug'] as const
  for (const name of names) log[name](name)
  const logs = recording.read().logs()
  expect(logs.map(({ msg, level }) => [msg, level])).toEqual([
    ['emerg', Level.Fatal],
    ['alert', Level.Fatal],
    ['crit', Level.Fatal],
    ['error', Level.Error],
    ['warning', Level.Warn],
    ['notice', Level.Info],
    ['info', Level.Info],
    ['debug', Level.Debug],
  ])
  expect(logs.map(({ properties }) => properties.level)).toEqual(names.map(() => undefined))
})

test('three levels below 10, named by a formatter, are not taken for trace', async () => {
  await using recording = startRecording({ maxLevel: Level.Debug })
  const log = pino(
    {
      customLevels: { emerg: 0, error: 3, debug: 7 },
      useOnlyCustomLevels: true,
      level: 'emerg',
      formatters: { level: (level) => ({ level }) },
    },
    micromegasPinoStream(),
  )
  log.emerg('a')
  log.error('b')
  log.debug('c')
  expect(
    recording
      .read()
      .logs()
      .map(({ level }) => level),
  ).toEqual([Level.Fatal, Level.Error, Level.Debug])
})

test('a level whose name is not in common use is the less severe of its neighbours, and a property', async () => {
  await using recording = startRecording()
  const log = pino(
    { customLevels: { audit: 35, whisper: 5, doom: 70 }, level: 'whisper' },
    micromegasPinoStream(),
  )
  log.audit('a')
  log.whisper('b')
  log.doom('c')
  log.info('d')
  expect(
    recording
      .read()
      .logs()
      .map(({ level, properties }) => [level, properties]),
  ).toEqual([
    [Level.Info, { level: 'audit' }],
    [Level.Trace, { level: 'whisper' }],
    [Level.Fatal, { level: 'doom' }],
    [Level.Info, {}],
  ])
})

test.each([
  ['DESC', 'DESC' as const],
  ['a function', (current: number, threshold: number) => current <= threshold],
])('neighbours are found in the order that the logger compares by: %s', async (_title, levelComparison) => {
  await using recording = startRecording()
  const customLevels = { error: 1, odd: 2, info: 3, even: 4, trace: 5, whisper: 6 }
  const log = pino(
    { customLevels, useOnlyCustomLevels: true, level: 'whisper', levelComparison },
    micromegasPinoStream(),
  )
  log.odd('a')
  log.even('b')
  log.whisper('c')
  expect(
    recording
      .read()
      .logs()
      .map(({ level }) => level),
  ).toEqual([Level.Info, Level.Trace, Level.Trace])
})

test('a scale of which no name is known is recorded at info, one on the scale of pino by its numbers', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  const own = pino({ customLevels: { loud: 1, quiet: 2 }, useOnlyCustomLevels: true, level: 'loud' }, stream)
  own.loud('a')
  own.quiet('b')
  const scaled = pino(
    { customLevels: { oops: 50, hush: 20 }, useOnlyCustomLevels: true, level: 'hush' },
    stream,
  )
  scaled.oops('c')
  scaled.hush('d')
  expect(
    recording
      .read()
      .logs()
      .map(({ level }) => level),
  ).toEqual([Level.Info, Level.Info, Level.Error, Level.Debug])
})

test('the option levels tells what levels are recorded as, by name or number', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream({ levels: { audit: 'warn', 33: 'error', trace: 'debug' } })
  const log = pino({ customLevels: { audit: 35, billing: 33 }, level: 'trace' }, stream)
  log.audit('a')
  log.billing('b')
  log.trace('c')
  stream.write('{"level":"audit","msg":"d"}\n{"level":33,"msg":"e"}\n')
  expect(
    recording
      .read()
      .logs()
      .map(({ level, properties }) => [level, properties.level]),
  ).toEqual([
    [Level.Warn, 'audit'],
    [Level.Error, 'billing'],
    [Level.Debug, undefined],
    [Level.Warn, 'audit'],
    [Level.Error, '33'],
  ])
})

test('a level to be recorded as one that does not exist is refused', () => {
  const levels = { audit: 'loud' as 'info' }
  expect(() => micromegasPinoStream({ levels })).toThrow(
    "Cannot make a pino stream: levels: 'audit' is to be recorded as 'loud', expected fatal, error, warn, info, debug or trace",
  )
  expect(() => micromegasPinoStream({ levels: { audit: 'off' } })).toThrow(TypeError)
  expect(() => micromegasPinoStream({ levels: { audit: 30 as never } })).toThrow(TypeError)
})

test('children may have levels of their own', async () => {
  await using recording = startRecording()
  const log = pino({ level: 'trace' }, micromegasPinoStream())
  const child = log.child({}, { customLevels: { crit: 5, audit: 45 }, level: 'crit' })
  child.crit('a')
  child.audit('b')
  child.info('c')
  log.info('d')
  expect(
    recording
      .read()
      .logs()
      .map(({ level }) => level),
  ).toEqual([Level.Fatal, Level.Warn, Level.Info, Level.Info])
})

test('lines of other processes are recorded by what they say of their level', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  const levels = [
    60,
    55,
    50,
    30,
    29,
    10,
    9,
    0,
    '"WARNING"',
    '"critical"',
    '"audit"',
    '""',
    'null',
    'true',
    '{"a":1}',
  ]
  for (const level of levels) stream.write(`{"level":${level},"msg":"m"}\n`)
  stream.write('{"msg":"none"}\n')
  expect(
    recording
      .read()
      .logs()
      .map(({ level, properties }) => [level, properties.level]),
  ).toEqual(
    [
      [Level.Fatal, undefined],
      [Level.Error, '55'],
      [Level.Error, undefined],
      [Level.Info, undefined],
      [Level.Debug, '29'],
      [Level.Trace, undefined],
      [Level.Info, '9'],
      [Level.Info, '0'],
      [Level.Warn, undefined],
      [Level.Fatal, undefined],
      [Level.Info, 'audit'],
      [Level.Info, ''],
      [Level.Info, undefined],
      [Level.Info, 'true'],
      [Level.Info, '{"a":1}'],
    ].concat([[Level.Info, undefined]]),
  )
})

test('events that the filters drop are not read', async () => {
  await using recording = startRecording({ targetMaxLevels: { quiet: Level.Warn } })
  const log = pino({ name: 'quiet' }, micromegasPinoStream())
  log.info('dropped')
  log.warn('kept')
  expect(
    recording
      .read()
      .logs()
      .map(({ msg }) => msg),
  ).toEqual(['kept'])
})
