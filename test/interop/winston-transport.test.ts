import { once } from 'node:events'
import { expect, test } from 'vitest'
import winston from 'winston'
import Transport from 'winston-transport'
import { MicromegasWinstonTransport } from '../../src/interop/winston.ts'
import { Level } from '../../src/model/level.ts'
import { type Recording, startRecording } from './support/recording.ts'

function messagesOf(recording: Recording): readonly string[] {
  return recording
    .read()
    .logs()
    .map(({ msg }) => msg)
}

test('it is a transport of winston-transport, for the compiler too', () => {
  const transport: winston.transport = new MicromegasWinstonTransport()
  expect(transport).toBeInstanceOf(Transport)
})

test('an info may be logged without a callback and without a logger, and is announced', async () => {
  await using recording = startRecording()
  const transport = new MicromegasWinstonTransport()
  const info = { level: 'warn', message: 'direct' }
  expect(transport.log(info)).toBe(true)
  expect(await once(transport, 'logged')).toEqual([info])
  expect(recording.read().logs()).toMatchObject([{ level: Level.Warn, msg: 'direct' }])
})

test('each info is announced once to who listens, and none is kept for who does not', async () => {
  await using _ = startRecording()
  const transport = new MicromegasWinstonTransport()
  const log = winston.createLogger({ transports: [transport] })
  for (let i = 0; i < 1000; i++) log.info('unheard')
  let late = 0
  transport.on('logged', () => late++)
  await new Promise(setImmediate)
  expect(late).toBe(64)
  const heard: unknown[] = []
  transport.on('logged', (info: { message: string }) => heard.push(info.message))
  for (let i = 0; i < 200; i++) log.info(`heard ${i}`)
  await new Promise(setImmediate)
  expect(heard).toEqual(Array.from({ length: 200 }, (_unused, i) => `heard ${i}`))
})

test.each([
  ['the second logger is the less talkative', 'debug', 'error'],
  ['the second logger is the more talkative', 'error', 'debug'],
])(
  'a transport of two loggers follows the first, as all of winston do: %s',
  async (_title, first, second) => {
    await using recording = startRecording()
    const shared = new MicromegasWinstonTransport()
    const reference: string[] = []
    const beside = new Transport({
      log(info: { message: string }, next: () => void) {
        reference.push(info.message)
        next()
      },
    })
    const [a, b] = [first, second].map((level) =>
      winston.createLogger({ level, transports: [shared, beside] }),
    )
    a!.debug('a debug')
    b!.debug('b debug')
    a!.error('a error')
    b!.error('b error')
    b!.remove(shared).remove(beside)
    a!.error('a again')
    expect(messagesOf(recording)).toEqual(reference)
    expect(reference).toContain('a again')
  },
)

test('a transport of two loggers with a level of its own loses nothing up to it', async () => {
  await using recording = startRecording()
  const shared = new MicromegasWinstonTransport({ level: 'debug' })
  const [a, b] = ['error', 'debug'].map((level) => winston.createLogger({ level, transports: [shared] }))
  a!.debug('a')
  b!.debug('b')
  expect(messagesOf(recording)).toEqual(['a', 'b'])
})

test('a level that the logger does not know is left out, as by all transports; one that we do not know is info', async () => {
  await using recording = startRecording()
  const known = winston.createLogger({ transports: [new MicromegasWinstonTransport()] })
  known.log('parrot', 'dropped')
  const levels = { audit: 0, chat: 1 }
  const own = winston.createLogger({
    levels,
    level: 'chat',
    transports: [new MicromegasWinstonTransport({ levels: { audit: 'error' } })],
  })
  own.log('audit', 'a')
  own.log('chat', 'b')
  expect(
    recording
      .read()
      .logs()
      .map(({ msg, level, properties }) => [msg, level, properties]),
  ).toEqual([
    ['a', Level.Error, { level: 'audit' }],
    ['b', Level.Info, { level: 'chat' }],
  ])
})

test('levels with colours of their own and the format cli leave no escape sequences', async () => {
  await using recording = startRecording()
  const levels = { fatal: 0, audit: 1, info: 2 }
  winston.addColors({ fatal: 'bold white redBG', audit: 'cyan', info: 'green' })
  const coloured = winston.createLogger({
    levels,
    format: winston.format.colorize({ all: true }),
    transports: [new MicromegasWinstonTransport()],
  })
  for (const level of Object.keys(levels)) coloured.log(level, `${level} it is`)
  const cli = winston.createLogger({
    levels: winston.config.cli.levels,
    format: winston.format.cli(),
    level: 'silly',
    transports: [new MicromegasWinstonTransport()],
  })
  for (const level of Object.keys(winston.config.cli.levels)) cli.log(level, level)
  const logs = recording.read().logs()
  expect(logs.slice(0, 3)).toMatchObject([
    { msg: 'fatal it is', level: Level.Fatal, properties: {} },
    { msg: 'audit it is', level: Level.Info, properties: { level: 'audit' } },
    { msg: 'info it is', level: Level.Info, properties: {} },
  ])
  expect(logs.slice(3).map(({ msg, level }) => [msg.trim(), level])).toEqual([
    ['error', Level.Error],
    ['warn', Level.Warn],
    ['help', Level.Info],
    ['data', Level.Info],
    ['info', Level.Info],
    ['debug', Level.Debug],
    ['prompt', Level.Info],
    ['verbose', Level.Debug],
    ['input', Level.Debug],
    ['silly', Level.Trace],
  ])
})

test('silence of the logger and of the transport both count', async () => {
  await using recording = startRecording()
  const transport = new MicromegasWinstonTransport({ silent: true })
  const log = winston.createLogger({ transports: [transport] })
  log.error('silent transport')
  transport.silent = false
  log.silent = true
  log.error('silent logger')
  log.silent = false
  log.error('heard')
  expect(messagesOf(recording)).toEqual(['heard'])
})

test('what is written while the stream is corked is recorded in order', async () => {
  await using recording = startRecording()
  const transport = new MicromegasWinstonTransport()
  transport.cork()
  for (const message of ['a', 'b', 'c']) transport.write({ level: 'info', message })
  transport.uncork()
  expect(messagesOf(recording)).toEqual(['a', 'b', 'c'])
})

test('an info that cannot be read costs itself', async () => {
  await using recording = startRecording()
  const transport = new MicromegasWinstonTransport()
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const info of [null, undefined, 'text', 7, proxy]) expect(transport.log(info)).toBe(true)
  transport.log({ level: 'info', message: 'next' })
  expect(messagesOf(recording)).toContain('next')
})

test('rejections and exceptions that winston handles have causes, and what the logger says by default', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({
    exitOnError: false,
    defaultMeta: { service: 'shop' },
    transports: [new MicromegasWinstonTransport({ handleExceptions: true, handleRejections: true })],
  })
  const error = Object.assign(new Error('refused', { cause: new TypeError('no route') }), { code: 'E1' })
  log.log(log.exceptions.getAllInfo(error) as unknown as winston.LogEntry)
  log.log(log.rejections.getAllInfo(error) as unknown as winston.LogEntry)
  log.exceptions.unhandle()
  log.rejections.unhandle()
  const logs = recording.read().logs()
  expect(logs.map(({ msg }) => msg.split('\n', 2))).toEqual([
    ['uncaughtException: refused', 'Error: refused'],
    ['unhandledRejection: refused', 'Error: refused'],
  ])
  for (const { msg, level, properties } of logs) {
    expect(level).toBe(Level.Error)
    expect(msg).toMatch(/\ncaused by: TypeError: no route\n {4}at /)
    expect(properties).toEqual({ service: 'shop', code: 'E1' })
  }
})

test('metadata that are called as those of an exception are properties', async () => {
  await using recording = startRecording()
  const log = winston.createLogger({ transports: [new MicromegasWinstonTransport()] })
  log.warn('mailed', { rejection: true, date: 'today', process: 'mail', error: 'none' })
  expect(recording.read().logs()).toMatchObject([
    { msg: 'mailed', properties: { rejection: 'true', date: 'today', process: 'mail', error: 'none' } },
  ])
})

test('a level to record as that does not exist is refused in words', () => {
  expect(() => new MicromegasWinstonTransport({ levels: { chat: 'loud' as 'info' } })).toThrow(
    "Cannot make a winston transport: levels: 'chat' is to be recorded as 'loud', expected fatal, error, warn, info, debug or trace",
  )
})
