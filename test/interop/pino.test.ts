import { Writable } from 'node:stream'
import { multistream, pino, stdTimeFunctions } from 'pino'
import { expect, test } from 'vitest'
import transport, { micromegasPinoStream } from '../../src/interop/pino.ts'
import { Level } from '../../src/model/level.ts'
import type { DecodedLogEntry } from '../../src/telemetry/decode/log-entries.ts'
import { type Recording, startRecording } from './support/recording.ts'

function logsOf(recording: Recording): readonly DecodedLogEntry[] {
  return recording.read().logs()
}

test('each level is recorded as ours of the same name', async () => {
  await using recording = startRecording()
  const log = pino({ level: 'trace' }, micromegasPinoStream())
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const) log[level](level)
  expect(logsOf(recording).map(({ msg, level, target }) => [msg, level, target])).toEqual([
    ['fatal', Level.Fatal, 'pino'],
    ['error', Level.Error, 'pino'],
    ['warn', Level.Warn, 'pino'],
    ['info', Level.Info, 'pino'],
    ['debug', Level.Debug, 'pino'],
    ['trace', Level.Trace, 'pino'],
  ])
})

test('name is the target, for child loggers too, and bindings are properties', async () => {
  await using recording = startRecording()
  const log = pino({ name: 'shop' }, micromegasPinoStream())
  log.info('plain')
  const child = log.child({ requestId: 'r1', user: { id: 7 } })
  child.info({ total: 9.5, paid: true, note: null }, 'placed')
  log.child({ name: 'shop.db' }).info('renamed')
  const [plain, placed, renamed] = logsOf(recording)
  expect(plain).toMatchObject({ target: 'shop', msg: 'plain', properties: {} })
  expect(placed).toMatchObject({ target: 'shop', msg: 'placed' })
  expect(placed!.properties).toEqual({ requestId: 'r1', user: '{"id":7}', total: '9.5', paid: 'true' })
  expect(renamed!.target).toBe('shop.db')
})

test('placeholders, prefixes, redaction, serializers and renamed keys are as pino makes them', async () => {
  await using recording = startRecording()
  const log = pino(
    {
      redact: ['password'],
      serializers: { req: (req: { url: string }) => req.url },
      messageKey: 'message',
      errorKey: 'problem',
      msgPrefix: '[web] ',
    },
    micromegasPinoStream({ messageKey: 'message', errorKey: 'problem', target: 'web' }),
  )
  log.info({ password: 'p', req: { url: '/a', headers: 'many' } }, 'user %s', 'Ada')
  log.error(new Error('broken'))
  const [entry, failure] = logsOf(recording)
  expect(entry).toMatchObject({ target: 'web', msg: '[web] user Ada' })
  expect(entry!.properties).toEqual({ password: '[Redacted]', req: '/a' })
  expect(failure!.msg).toMatch(/Error: broken\n {4}at /)
})

test('formatters that name levels, other times and no base do not disturb it', async () => {
  await using recording = startRecording()
  const log = pino(
    { base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    micromegasPinoStream(),
  )
  log.warn('named')
  expect(logsOf(recording)[0]).toMatchObject({ level: Level.Warn, msg: 'named', properties: {} })
})

test('mixins, formatters and serializers of children count', async () => {
  await using recording = startRecording()
  let requests = 0
  const log = pino(
    {
      mixin: () => ({ request: ++requests, total: 9007199254740993n }),
      formatters: {
        bindings: () => ({ service: 'shop' }),
        log: (fields) => ({ ...fields, formatted: true }),
      },
    },
    micromegasPinoStream(),
  )
  log.info('a')
  log
    .child({ user: 'ada' }, { serializers: { user: (name: string) => name.toUpperCase() } })
    .info({ b: 1 }, 'b')
  const [a, b] = logsOf(recording)
  const mixed = { service: 'shop', formatted: 'true', total: '9007199254740993' }
  expect(a!.properties).toEqual({ ...mixed, request: '1' })
  expect(b!.properties).toEqual({ ...mixed, request: '2', user: 'ADA', b: '1' })
})

test('a transport, which would run where no telemetry does, fails at start', () => {
  expect(transport).toThrow(/^Cannot record from a pino transport: it runs in a worker thread/)
})

test('it is one of several streams, with a level of its own', async () => {
  await using recording = startRecording()
  let written = ''
  const other = new Writable({
    write(chunk, _encoding, callback) {
      written += String(chunk)
      callback()
    },
  })
  const log = pino(
    { name: 'shop', level: 'debug' },
    multistream([
      { level: 'debug', stream: other },
      { level: 'warn', stream: micromegasPinoStream() },
    ]),
  )
  log.debug('one')
  log.child({ a: 1 }).warn('both')
  expect(logsOf(recording)).toMatchObject([
    { msg: 'both', level: Level.Warn, target: 'shop', properties: { a: '1' } },
  ])
  expect(written.trim().split('\n')).toHaveLength(2)
})

test('a line beyond 1 Mi characters is not parsed: it is recorded cut, with its level and target', async () => {
  await using recording = startRecording()
  const log = pino({ name: 'shop' }, micromegasPinoStream())
  log.error({ blob: 'x'.repeat(1024 * 1024) }, 'huge')
  log.error({ blob: 'x'.repeat(1024 * 1024 - 1000) }, 'just fits')
  const [huge, fits] = logsOf(recording)
  expect(huge).toMatchObject({ level: Level.Error, target: 'shop', properties: {} })
  expect(huge!.msg).toMatch(/^\{"level":50,.* more characters\]$/)
  expect(fits!.msg).toBe('just fits')
  expect(fits!.properties.blob!.length).toBeLessThan(9000)
})

test('what a line carries beyond the limits of properties is left out, and a __proto__ is a property like others', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  const fields = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, i]))
  stream.write(JSON.stringify({ level: 30, msg: 'wide', ...fields }))
  stream.write('{"level":30,"msg":"proto","__proto__":{"a":1},"constructor":"c"}')
  const [wide, proto] = logsOf(recording)
  expect(Object.keys(wide!.properties)).toHaveLength(128)
  expect(Object.entries(proto!.properties)).toEqual([
    ['__proto__', '{"a":1}'],
    ['constructor', 'c'],
  ])
})

test('a thousand distinct lines leave no property sets behind', async () => {
  const { propertySetBound } = await import('../../src/tracing/values/property-set.ts')
  await using recording = startRecording()
  const log = pino(micromegasPinoStream())
  const before = propertySetBound.remaining
  for (let i = 0; i < 1000; i++) log.info({ requestId: `r${i}` }, 'request')
  expect(propertySetBound.remaining).toBe(before)
  expect(new Set(logsOf(recording).map(({ properties }) => properties.requestId)).size).toBe(1000)
})
