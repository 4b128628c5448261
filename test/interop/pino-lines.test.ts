import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { multistream, pino, stdTimeFunctions } from 'pino'
import { expect, test } from 'vitest'
import { micromegasPinoStream } from '../../src/interop/pino.ts'
import { Level } from '../../src/model/level.ts'
import { startRecording } from './support/recording.ts'

test.each([
  ['9007199254740993'],
  ['-9223372036854775808'],
  ['123456789012345678901234567890'],
  ['-0'],
  ['0.1000'],
  ['1e+21'],
  ['1E400'],
  ['5e-324'],
])('a number is recorded in the digits that were written: %s', async (digits) => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  stream.write(`{"level":30,"n":${digits},"deep":{"list":[${digits},{"n":${digits}}]},"msg":"m"}\n`)
  expect(recording.read().logs()[0]!.properties).toEqual({
    n: digits,
    deep: `{"list":[${digits},{"n":${digits}}]}`,
  })
})

test('a bigint, a huge float and what is nested deeply are as pino writes them', async () => {
  await using recording = startRecording()
  const log = pino({ base: { big: 2n ** 64n } }, micromegasPinoStream())
  log
    .child({ id: 9007199254740995n })
    .info({ n: 9007199254740993n, f: 1e21, nan: Number.NaN, a: { b: { c: { d: { e: [1] } } } } })
  const [entry] = recording.read().logs()
  expect(entry!.properties).toEqual({
    big: '18446744073709551616',
    id: '9007199254740995',
    n: '9007199254740993',
    f: '1e+21',
    a: '{"b":{"c":{"d":{"e":[1]}}}}',
  })
})

test('a message that is not a text is recorded as it is written', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  for (const msg of ['9007199254740993', '{"text":"structured"}', 'true', 'null', '"a\\n\\"b\\" \\u00e9"'])
    stream.write(`{"level":30,"msg":${msg}}\n`)
  expect(
    recording
      .read()
      .logs()
      .map(({ msg }) => msg),
  ).toEqual(['9007199254740993', '{"text":"structured"}', 'true', 'null', 'a\n"b" é'])
})

test('fields of an event that are called as those of the logger are properties', async () => {
  await using recording = startRecording()
  const log = pino({ name: 'shop' }, micromegasPinoStream())
  log.warn({ level: 'gold', name: 'Ada', hostname: 'elsewhere', pid: 0, time: 5 }, 'customer')
  const [entry] = recording.read().logs()
  expect(entry).toMatchObject({ level: Level.Warn, target: 'shop', msg: 'customer' })
  expect(entry!.properties).toEqual({
    level: 'gold',
    name: 'Ada',
    hostname: 'elsewhere',
    pid: '0',
    time: '5',
  })
})

test('a field called name is not the target of a logger without a name', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream({ target: 'web' })
  pino(stream).info({ name: 'Ada' }, 'customer')
  pino({ timestamp: false }, stream).info({ time: 'noon' }, 'customer')
  const [named, timed] = recording.read().logs()
  expect(named).toMatchObject({ target: 'web', properties: { name: 'Ada' } })
  expect(timed).toMatchObject({ target: 'web', properties: { time: 'noon' } })
})

test.each([
  ['epochTime', stdTimeFunctions.epochTime],
  ['unixTime', stdTimeFunctions.unixTime],
  ['isoTime', stdTimeFunctions.isoTime],
  ['nullTime', stdTimeFunctions.nullTime],
  ['none', false as const],
])("the logger's own time is not recorded twice: %s", async (_title, timestamp) => {
  await using recording = startRecording()
  pino({ timestamp }, micromegasPinoStream()).info('now')
  expect(recording.read().logs()).toMatchObject([{ msg: 'now', properties: {} }])
})

test('a time under another name is a property', async () => {
  await using recording = startRecording()
  pino({ timestamp: () => ',"@timestamp":"noon"' }, micromegasPinoStream()).info('now')
  expect(recording.read().logs()[0]!.properties).toEqual({ '@timestamp': 'noon' })
})

test('the keys of the logger need not be told again, by the stream of several loggers neither', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  pino({ messageKey: 'message', errorKey: 'problem' }, stream).error(new Error('broken'), 'one')
  pino({ nestedKey: 'payload' }, stream).info({ a: 1, msg: 'within' }, 'two')
  pino({ nestedKey: 'payload' }, stream).error(new Error('nested'), 'three')
  pino({}, multistream([{ stream }]))
    .child({ b: 2 })
    .info({ message: 'a field' }, 'four')
  const [one, two, three, four] = recording.read().logs()
  expect(one!.msg).toMatch(/^one\nError: broken\n {4}at /)
  expect(one!.properties).toEqual({})
  expect(two).toMatchObject({ msg: 'two', properties: { payload: '{"a":1,"msg":"within"}' } })
  expect(three!.msg).toMatch(/^three\nError: nested\n {4}at /)
  expect(four).toMatchObject({ msg: 'four', properties: { b: '2', message: 'a field' } })
})

test('bytes and texts may be piped in, in chunks that break anywhere', async () => {
  await using recording = startRecording()
  const lines = '{"level":40,"name":"other","msg":"größer €","pid":1}\r\n\nplain text\n[1,2]\n{"level":50'
  const bytes = Buffer.from(lines)
  const stream = micromegasPinoStream()
  await pipeline(Readable.from(Array.from(bytes, (byte) => Buffer.of(byte))), stream)
  expect(stream.writableFinished).toBe(true)
  await pipeline(Readable.from([...lines]), micromegasPinoStream())
  await pipeline(Readable.from([new Uint8Array(bytes)]), micromegasPinoStream())
  const logs = recording.read().logs()
  const expected = [
    [Level.Warn, 'other', 'größer €', { pid: '1' }],
    [Level.Info, 'pino', 'plain text', {}],
    [Level.Info, 'pino', '[1,2]', {}],
    [Level.Info, 'pino', '{"level":50', {}],
  ]
  expect(logs.map(({ level, target, msg, properties }) => [level, target, msg, properties])).toEqual([
    ...expected,
    ...expected,
    ...expected,
  ])
})

test('a JSON object that is whole does not wait for the end of its line, other text does', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  const messages = (): string[] =>
    recording
      .read()
      .logs()
      .map(({ msg }) => msg)
  stream.write('{"level":30,"msg":"whole"}')
  stream.write('\n')
  stream.write('7b226d7367223a22686578227d0a', 'hex')
  expect(messages()).toEqual(['whole', 'hex'])
  stream.write('to be ')
  expect(messages()).toEqual(['whole', 'hex'])
  stream.write('continued\n{"msg":"a')
  stream.write('}"}')
  stream.destroy()
  expect(messages()).toEqual(['whole', 'hex', 'to be continued', 'a}'])
})

test('callbacks are called, and a stream that has ended still records what its loggers write', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  const log = pino({}, multistream([{ stream }]))
  await new Promise((resolve) => stream.write('{"msg":"first"}\n', resolve))
  await new Promise<void>((resolve) => stream.end('{"msg":"last"}\n', resolve))
  log.info('after the end')
  stream.destroy()
  log.info('after that')
  await new Promise(setImmediate)
  expect(
    recording
      .read()
      .logs()
      .map(({ msg }) => msg),
  ).toEqual(['first', 'last', 'after the end', 'after that'])
})

test('nothing that was logged is kept alive, nor taken for the source of lines from elsewhere', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  pino({ name: 'shop' }, stream).error({ a: 1 }, 'ours')
  expect(stream).toMatchObject({ lastObj: undefined, lastMsg: undefined, lastLogger: undefined })
  stream.write('{"level":30,"name":"other","msg":"theirs"}\n')
  expect(recording.read().logs()).toMatchObject([
    { target: 'shop', level: Level.Error },
    { target: 'other', level: Level.Info },
  ])
})

test.each([
  '{"a":tru}',
  '{"a":01}',
  '{"a":1 "b":2}',
  '{"a":[1,2}',
  '{"a":{"b":"}',
  '{"a"}',
  '{a:1}',
  '{"a":1}}',
  '{"a":"\\x"}x',
  '{"a":1,}',
  '{',
])('text that is not a JSON object is recorded as it is: %s', async (text) => {
  await using recording = startRecording()
  micromegasPinoStream().write(`${text}\n`)
  expect(recording.read().logs()).toMatchObject([{ level: Level.Info, msg: text, properties: {} }])
})

test('what a hook makes of a line is one event, in several lines too', async () => {
  await using recording = startRecording()
  const hooks = { streamWrite: (line: string) => `pretty:\n  ${line}` }
  pino({ name: 'shop', hooks, base: null }, micromegasPinoStream()).error('x')
  const [entry, ...others] = recording.read().logs()
  expect(entry).toMatchObject({
    level: Level.Error,
    msg: expect.stringMatching(/^pretty:\n {2}\{"level":50,.*\}$/),
  })
  expect(others).toEqual([])
})

test('a line without an end is kept up to a bound', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  const chunk = 'x'.repeat(64 * 1024)
  for (let i = 0; i < 100; i++) stream.write(chunk)
  stream.write('\n{"msg":"next"}\n')
  const [long, next] = recording.read().logs()
  expect(long!.msg).toMatch(/^x+… \[\d+ more characters\]$/)
  expect(next!.msg).toBe('next')
})
