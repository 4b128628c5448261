import { pino, stdSerializers } from 'pino'
import { expect, test } from 'vitest'
import { micromegasPinoStream } from '../../src/interop/pino.ts'
import { startRecording } from './support/recording.ts'

class OrderError extends Error {
  readonly orderId = 7
}

test('the class of an error heads its stack, and is a property unless it is a plain Error', async () => {
  await using recording = startRecording()
  const log = pino(micromegasPinoStream())
  log.error(new OrderError('refused'))
  log.error(new TypeError('odd'), 'typed')
  log.error(new Error('plain'))
  const [own, typed, plain] = recording.read().logs()
  expect(own!.msg).toMatch(/^OrderError: refused\n {4}at /)
  expect(own!.properties).toEqual({ 'err.type': 'OrderError', 'err.orderId': '7' })
  expect(typed!.msg).toMatch(/^typed\nTypeError: odd\n {4}at /)
  expect(typed!.properties).toEqual({ 'err.type': 'TypeError' })
  expect(plain!.properties).toEqual({})
})

test('the errors of an AggregateError are shown, and theirs', async () => {
  await using recording = startRecording()
  const log = pino(micromegasPinoStream())
  const inner = new AggregateError([new RangeError('deep')], 'inner')
  log.error(new AggregateError([new TypeError('one'), inner, 'text'], 'all of it'), 'connect')
  const [entry] = recording.read().logs()
  expect(entry!.msg).toMatch(
    /^connect\nAggregateError: all of it\n {4}at .*TypeError: one\n +at .*AggregateError: inner\n +at .*RangeError: deep\n +at .*/s,
  )
  expect(entry!.properties).toEqual({ 'err.type': 'AggregateError' })
})

test('members of causes and of errors within are properties as a whole', async () => {
  await using recording = startRecording()
  const log = pino({ serializers: { err: stdSerializers.errWithCause } }, micromegasPinoStream())
  const refused = (port: number): Error =>
    Object.assign(new Error(`refused ${port}`), { code: 'ECONNREFUSED', port })
  log.error(new Error('failed', { cause: refused(1) }))
  log.error(new AggregateError([refused(2), refused(3)], 'failed'))
  const [caused, aggregate] = recording.read().logs()
  expect(JSON.parse(caused!.properties['err.cause']!)).toMatchObject({ code: 'ECONNREFUSED', port: 1 })
  expect(JSON.parse(aggregate!.properties['err.aggregateErrors']!)).toMatchObject([{ port: 2 }, { port: 3 }])
})

test('hundreds of errors of one are bounded', async () => {
  await using recording = startRecording()
  const many = Array.from({ length: 500 }, (_, i) => new Error(`part ${i}`))
  pino(micromegasPinoStream()).error(new AggregateError(many, 'many'))
  const { msg } = recording.read().logs()[0]!
  expect(msg).toContain('part 0')
  expect(msg).not.toContain('part 499')
  expect(msg.length).toBeLessThan(100_000)
})

test.each([
  ['err', stdSerializers.err],
  ['errWithCause', stdSerializers.errWithCause],
])('causes are shown, each once, whichever serializer made them: %s', async (_title, err) => {
  await using recording = startRecording()
  const log = pino({ serializers: { err } }, micromegasPinoStream())
  const cause = new TypeError('no route', { cause: new RangeError('port 0') })
  log.error(new Error('refused', { cause }))
  const [entry] = recording.read().logs()
  expect(entry!.msg).toMatch(
    /^Error: refused\n {4}at .*\ncaused by: TypeError: no route\n {4}at .*\ncaused by: RangeError: port 0\n {4}at /s,
  )
  expect(entry!.msg.split('port 0')).toHaveLength(2)
  expect(entry!.properties).toEqual({})
})

test('a message that was changed after the stack was made is shown', async () => {
  await using recording = startRecording()
  const error = new OrderError('before')
  expect(error.stack).toContain('before')
  error.message = 'after'
  pino(micromegasPinoStream()).error(error, 'changed')
  expect(recording.read().logs()[0]!.msg).toMatch(/^changed\nOrderError: after\nError: before\n {4}at /)
})

test('what serializers leave of an error counts, and what is not an error is a property', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  pino({ serializers: { err: (error: Error) => error.message } }, stream).error(new Error('text only'), 'a')
  pino({ redact: ['err.stack', 'err.secret'] }, stream).error(
    Object.assign(new Error('failed'), { secret: 's' }),
    'b',
  )
  pino(stream).error({ err: { code: 9007199254740993n } }, 'c')
  pino(stream).error({ err: 'text' }, 'd')
  pino(stream).error({ err: null }, 'e')
  expect(
    recording
      .read()
      .logs()
      .map(({ msg, properties }) => [msg, properties]),
  ).toEqual([
    ['a', { err: 'text only' }],
    ['b\nError: failed\n[Redacted]', { 'err.secret': '[Redacted]' }],
    ['c', { err: '{"code":9007199254740993}' }],
    ['d', { err: 'text' }],
    ['e', {}],
  ])
})

test('a stack that JSON cannot carry whole, or that other programs made, is not lost', async () => {
  await using recording = startRecording()
  const stream = micromegasPinoStream()
  stream.write(
    '{"msg":"a","err":{"stack":"java.lang.Error: x\\n\\tat Main","cause":{b},"aggregateErrors":7}}\n',
  )
  stream.write('{"msg":"b","err":{"stack":{"frames":[]}}}\n')
  const [a, b] = recording.read().logs()
  expect(a).toMatchObject({
    msg: 'a\njava.lang.Error: x\n\tat Main',
    properties: { 'err.cause': '{b}', 'err.aggregateErrors': '7' },
  })
  expect(b).toMatchObject({ msg: 'b', properties: { err: '{"stack":{"frames":[]}}' } })
})
