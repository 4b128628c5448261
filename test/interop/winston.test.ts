import { once } from 'node:events'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import winston from 'winston'
import { MicromegasWinstonTransport } from '../../src/interop/winston.ts'
import { Level } from '../../src/model/level.ts'
import type { DecodedLogEntry } from '../../src/telemetry/decode/log-entries.ts'
import { type Recording, startRecording } from './support/recording.ts'

function logsOf(recording: Recording): readonly DecodedLogEntry[] {
  return recording.read().logs()
}

function messagesOf(recording: Recording): readonly string[] {
  return logsOf(recording).map(({ msg }) => msg)
}

test('the levels of npm are recorded as the nearest of ours', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({ level: 'silly', transports: [new MicromegasWinstonTransport()] })
  for (const level of ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly']) log.log(level, level)
  expect(logsOf(recording).map(({ msg, level, target }) => [msg, level, target])).toEqual([
    ['error', Level.Error, 'winston'],
    ['warn', Level.Warn, 'winston'],
    ['info', Level.Info, 'winston'],
    ['http', Level.Debug, 'winston'],
    ['verbose', Level.Debug, 'winston'],
    ['debug', Level.Debug, 'winston'],
    ['silly', Level.Trace, 'winston'],
  ])
})

test('so are those of syslog, and those of the logger itself as told', async () => {
  await using recording = startRecording()
  const syslog = winston.createLogger({
    levels: winston.config.syslog.levels,
    transports: [new MicromegasWinstonTransport()],
  })
  for (const level of ['emerg', 'alert', 'crit', 'error', 'warning', 'notice', 'info'])
    syslog.log(level, level)
  const own = winston.createLogger({
    levels: { audit: 0, chat: 1, whisper: 2 },
    level: 'whisper',
    transports: [new MicromegasWinstonTransport({ levels: { audit: 'fatal', whisper: 'trace' } })],
  })
  for (const level of ['audit', 'chat', 'whisper']) own.log(level, level)
  expect(logsOf(recording).map(({ msg, level }) => [msg, level])).toEqual([
    ['emerg', Level.Fatal],
    ['alert', Level.Fatal],
    ['crit', Level.Fatal],
    ['error', Level.Error],
    ['warning', Level.Warn],
    ['notice', Level.Info],
    ['info', Level.Info],
    ['audit', Level.Fatal],
    ['chat', Level.Info],
    ['whisper', Level.Trace],
  ])
})

test('a level to record as that does not exist is refused', () => {
  expect(() => new MicromegasWinstonTransport({ levels: { chat: 'loud' as 'info' } })).toThrow(TypeError)
  expect(() => new MicromegasWinstonTransport({ levels: { chat: 'off' } })).toThrow(TypeError)
})

test('metadata, default metadata and those of a child become properties', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({
    defaultMeta: { service: 'shop' },
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new MicromegasWinstonTransport({ target: 'shop.web' })],
  })
  log.child({ requestId: 'r1' }).info('placed', { cart: { items: 2 }, total: 9.5, none: undefined })
  const [entry] = logsOf(recording)
  expect(entry!.target).toBe('shop.web')
  expect(entry!.msg).toBe('placed')
  expect(entry!.properties).toEqual({ service: 'shop', requestId: 'r1', cart: '{"items":2}', total: '9.5' })
})

test('placeholders are filled in by the format splat, what is left over becomes properties', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({
    format: winston.format.splat(),
    transports: [new MicromegasWinstonTransport()],
  })
  log.info('%s took %d ms', 'load', 12, { region: 'eu' })
  const [entry] = logsOf(recording)
  expect(entry!.msg).toBe('load took 12 ms')
  expect(entry!.properties).toEqual({ region: 'eu' })
})

test('an error is recorded with its stack, its causes and its own fields, however it was passed', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({ transports: [new MicromegasWinstonTransport()] })
  const error = (): Error =>
    Object.assign(new Error('refused', { cause: new TypeError('no route') }), { code: 'E1' })
  log.error('load failed', error())
  log.error(error())
  log.log({ level: 'error', message: 'as a field', error: error() })
  const [joined, alone, field] = logsOf(recording)
  expect(joined!.msg).toMatch(
    /^load failed refused\nError: refused\n {4}at .*\ncaused by: TypeError: no route\n {4}at /s,
  )
  expect(joined!.properties).toEqual({ code: 'E1' })
  expect(alone!.msg).toMatch(/^Error: refused\n {4}at .*\ncaused by: TypeError: no route\n {4}at /s)
  expect(alone!.properties).toEqual({ code: 'E1' })
  expect(field!.msg).toBe('as a field')
  expect(field!.properties.error).toContain('Error: refused')
})

test('the format errors gives the same stack once', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({
    format: winston.format.errors({ stack: true }),
    transports: [new MicromegasWinstonTransport()],
  })
  log.error(new Error('refused'))
  expect(messagesOf(recording)[0]).toMatch(/^Error: refused\n {4}at /)
  expect(messagesOf(recording)[0]!.split('refused')).toHaveLength(2)
})

test('the level is known however the format has coloured it, and a label is the target', async () => {
  await using recording = startRecording()
  const { combine, colorize, label } = winston.format
  const log = winston.createLogger({
    format: combine(label({ label: 'shop.db' }), colorize({ all: false, level: true })),
    transports: [new MicromegasWinstonTransport()],
  })
  log.warn('slow')
  expect(logsOf(recording)[0]).toMatchObject({ level: Level.Warn, target: 'shop.db', msg: 'slow' })
})

test("the transport's own level, format and silence count", async () => {
  await using recording = startRecording()
  const transport = new MicromegasWinstonTransport({
    level: 'warn',
    format: winston.format((info) => (info.message === 'private' ? false : { ...info, seen: true }))(),
  })
  const log = winston.createLogger({ level: 'debug', transports: [transport] })
  log.info('too little')
  log.warn('private')
  log.warn('enough')
  transport.silent = true
  log.error('silent')
  expect(logsOf(recording).map(({ msg, properties }) => [msg, properties])).toEqual([
    ['enough', { seen: 'true' }],
  ])
})

test('without a level of its own the transport follows its logger, as it changes too', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({ level: 'warn', transports: [new MicromegasWinstonTransport()] })
  log.info('before')
  log.level = 'info'
  log.info('after')
  expect(messagesOf(recording)).toEqual(['after'])
})

test("a format that throws is its caller's, and the next event is recorded", async () => {
  await using recording = startRecording()
  const format = winston.format((info) => {
    if (info.message === 'bad') throw new Error('in the format')
    return info
  })()
  const log = winston.createLogger({ transports: [new MicromegasWinstonTransport({ format })] })
  expect(() => log.info('bad')).toThrow('in the format')
  log.info('good')
  expect(messagesOf(recording)).toEqual(['good'])
})

test('it works beside other transports, and a logger can let go of it', async () => {
  await using recording = startRecording()
  let written = ''
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      written += String(chunk)
      callback()
    },
  })
  const transport = new MicromegasWinstonTransport()
  const log = winston.createLogger({ transports: [new winston.transports.Stream({ stream }), transport] })
  log.info('both')
  log.remove(transport)
  log.info('one')
  expect(messagesOf(recording)).toEqual(['both'])
  expect(
    written
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message),
  ).toEqual(['both', 'one'])
})

test('closing the logger ends the transport', async () => {
  await using recording = startRecording()
  const transport = new MicromegasWinstonTransport()
  const log = winston.createLogger({ transports: [transport] })
  const finished = [once(transport, 'finish'), once(log, 'finish')]
  log.info('last')
  log.end()
  await Promise.all(finished)
  expect(messagesOf(recording)).toEqual(['last'])
})

test('an exception that winston handles is recorded where that is asked for, without what it says of the process', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({
    exitOnError: false,
    transports: [new MicromegasWinstonTransport()],
    exceptionHandlers: [new MicromegasWinstonTransport({ target: 'exceptions' })],
  })
  const info = log.exceptions.getAllInfo(new Error('uncaught')) as unknown as winston.LogEntry
  log.log(info)
  log.exceptions.unhandle()
  const entries = logsOf(recording)
  expect(entries.map(({ target }) => target)).toEqual(['exceptions'])
  expect(entries[0]!.msg).toMatch(/^uncaughtException: uncaught\nError: uncaught\n {4}at /)
  expect(entries[0]!.properties).toEqual({})
})

test('values that cannot be read cost themselves, not the event', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({
    format: winston.format((info) => info)(),
    transports: [new MicromegasWinstonTransport()],
  })
  const circular: Record<string, unknown> = {}
  circular.self = circular
  const hostile = {
    get toJSON(): never {
      throw new Error('no')
    },
    toString(): never {
      throw new Error('no')
    },
  }
  log.info('odd', { circular, hostile, big: 10n, list: Array.from({ length: 100_000 }, (_, i) => i) })
  const [entry] = logsOf(recording)
  expect(entry!.msg).toBe('odd')
  expect(entry!.properties.circular).toBe('{"self":[circular]}')
  expect(entry!.properties.big).toBe('10')
  expect(entry!.properties.list!.length).toBeLessThan(10_000)
})
