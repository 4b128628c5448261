import { expect, test } from 'vitest'
import winston from 'winston'
import { MicromegasWinstonTransport } from '../../src/interop/winston.ts'
import { startRecording } from './support/recording.ts'

const { combine, errors, json, splat } = winston.format

function makeLogger(format?: winston.Logform.Format): winston.Logger {
  return winston.createLogger({
    ...(format === undefined ? {} : { format }),
    transports: [new MicromegasWinstonTransport()],
  })
}

test.each([
  ['texts', { cause: 'rain', stack: 'LIFO' }, { cause: 'rain', stack: 'LIFO' }],
  ['numbers', { cause: 3, stack: 7 }, { cause: '3', stack: '7' }],
  ['objects', { cause: { code: 7 }, stack: ['a', 'b'] }, { cause: '{"code":7}', stack: '["a","b"]' }],
  ['a stack of cards', { stack: 'hearts\nspades' }, { stack: 'hearts\nspades' }],
])(
  'metadata named cause or stack that are not those of an error are properties: %s',
  async (_title, metadata, properties) => {
    await using recording = startRecording()
    const log = makeLogger()
    log.info('harvest', metadata)
    log.log({ level: 'info', message: 'harvest', ...metadata })
    log.child(metadata).info('harvest')
    const logs = recording.read().logs()
    expect(logs.map((entry) => entry.msg)).toEqual(['harvest', 'harvest', 'harvest'])
    expect(logs.map((entry) => entry.properties)).toEqual([properties, properties, properties])
  },
)

test('an error under cause that is the cause of none is a property, with its stack', async () => {
  await using recording = startRecording()
  makeLogger().warn('skipped', { cause: new TypeError('no route'), region: 'eu' })
  const [entry] = recording.read().logs()
  expect(entry!.msg).toBe('skipped')
  expect(entry!.properties).toEqual({
    region: 'eu',
    cause: expect.stringMatching(/^TypeError: no route\n {4}at /),
  })
})

test('a cause that is not an error is shown with the error that has it', async () => {
  await using recording = startRecording()
  const log = makeLogger()
  log.error('failed', new Error('refused', { cause: 'timeout' }))
  log.error(new Error('refused', { cause: { code: 7 } }))
  const [joined, alone] = recording.read().logs()
  expect(joined!.msg).toMatch(/^failed refused\nError: refused\n {4}at .*\ncaused by: "timeout"$/s)
  expect(alone!.msg).toMatch(/^Error: refused\n {4}at .*\ncaused by: \{"code":7\}$/s)
  expect([joined!.properties, alone!.properties]).toEqual([{}, {}])
})

test('the errors of an AggregateError are shown, however it was passed', async () => {
  await using recording = startRecording()
  const log = makeLogger()
  const error = (): Error => new AggregateError([new TypeError('one'), new RangeError('two')], 'both')
  log.error(error())
  log.error('connect', error())
  log.error({ message: error() })
  log.child({ requestId: 'r1' }).error('connect', error())
  for (const { msg } of recording.read().logs()) {
    expect(msg).toMatch(/AggregateError: both\n {4}at .*TypeError: one\n +at .*RangeError: two\n +at /s)
  }
})

test('the class of an error heads its stack', async () => {
  await using recording = startRecording()
  class OrderError extends Error {}
  const log = makeLogger()
  log.error('failed', new OrderError('refused'))
  log.error(new OrderError('refused'))
  for (const { msg } of recording.read().logs()) expect(msg).toMatch(/(^|\n)OrderError: refused\n {4}at /)
})

test('errors that winston does not look for are shown below the message', async () => {
  await using recording = startRecording()
  const log = makeLogger()
  log.error('failed', { orderId: 7 }, new Error('second'))
  log.error('failed %s', 'twice', new Error('behind a text'))
  log.error('failed: %s', new Error('without splat'))
  const messages = recording
    .read()
    .logs()
    .map(({ msg }) => msg)
  expect(messages).toEqual([
    expect.stringMatching(/^failed\nError: second\n {4}at /),
    expect.stringMatching(/^failed %s\nError: behind a text\n {4}at /),
    expect.stringMatching(/^failed: %s\nError: without splat\n {4}at /),
  ])
})

test('an error that fills a placeholder is shown once', async () => {
  await using recording = startRecording()
  makeLogger(splat()).error('failed: %s', new Error('refused'))
  const [entry] = recording.read().logs()
  expect(entry!.msg).toMatch(/^failed: Error: refused\n {4}at /)
  expect(entry!.msg.split('refused')).toHaveLength(2)
})

test('what a format takes out of an error stays out', async () => {
  await using recording = startRecording()
  const scrub = winston.format((info) => {
    delete info.stack
    delete info.token
    info.message = String(info.message).replace('secret', '***')
    return info
  })()
  makeLogger(scrub).error('failed', Object.assign(new Error('secret'), { token: 't', code: 'E1' }))
  expect(recording.read().logs()).toMatchObject([{ msg: 'failed ***', properties: { code: 'E1' } }])
})

test('the format errors hands the stack and the cause on, or leaves them out', async () => {
  await using recording = startRecording()
  const error = new Error('refused', { cause: new TypeError('no route') })
  makeLogger(combine(errors({ stack: true, cause: true }), json())).error(error)
  makeLogger(errors({ stack: true })).error(new Error('short'))
  makeLogger(errors({})).error(new Error('shortest'))
  const [both, stack, none] = recording.read().logs()
  expect(both!.msg).toMatch(/^Error: refused\n {4}at .*\ncaused by: TypeError: no route\n {4}at /s)
  expect(stack!.msg).toMatch(/^Error: short\n {4}at /)
  expect(none!.msg).toBe('shortest')
  expect([both, stack, none].map((entry) => entry!.properties)).toEqual([{}, {}, {}])
})

test('messages that are not texts are recorded as values are', async () => {
  await using recording = startRecording()
  const log = makeLogger()
  for (const message of [{ a: [1] }, 7, 10n, true, null, undefined, Symbol('s'), new Date(0)])
    log.info(message)
  log.info('')
  log.error(Object.assign(new Error(''), { code: 'E1' }))
  const logs = recording.read().logs()
  expect(logs.slice(0, 9).map(({ msg }) => msg)).toEqual([
    '{"a":[1]}',
    '7',
    '10',
    'true',
    'null',
    '',
    'Symbol(s)',
    '1970-01-01T00:00:00.000Z',
    '',
  ])
  expect(logs[9]).toMatchObject({
    msg: expect.stringMatching(/^Error.*\n {4}at /),
    properties: { code: 'E1' },
  })
})

test('a label and a timestamp of the call are properties, those of formats are not', async () => {
  await using recording = startRecording()
  const log = makeLogger(combine(winston.format.timestamp(), winston.format.label({ label: 'shop' })))
  log.info('formatted')
  const plain = makeLogger()
  plain.info('clicked', { label: 'Buy now', timestamp: '2020-01-01' })
  plain.info({ message: 'clicked', timestamp: 1577836800 })
  expect(recording.read().logs()).toMatchObject([
    { target: 'shop', properties: {} },
    { target: 'winston', properties: { label: 'Buy now', timestamp: '2020-01-01' } },
    { target: 'winston', properties: { timestamp: '1577836800' } },
  ])
})
