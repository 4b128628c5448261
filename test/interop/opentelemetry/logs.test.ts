import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { type LoggerProvider, logs, SeverityNumber } from '@opentelemetry/api-logs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { registerOpenTelemetryBridge } from '../../../src/interop/opentelemetry.ts'
import { Level } from '../../../src/model/level.ts'
import { asyncSpan } from '../../../src/tracing/spans/span.ts'
import { startRecording } from '../support/recording.ts'

let unregister: () => void
beforeEach(() => {
  unregister = registerOpenTelemetryBridge()
})
afterEach(() => unregister())

test('a log record is a log event: severity, body, attributes, and the logger’s name as its target', async () => {
  await using recording = startRecording()
  const logger = logs.getLogger('shop.audit', '1.0.0')
  logger.emit({ severityNumber: SeverityNumber.WARN2, body: 'slow', attributes: { ms: 12, tags: ['a'] } })
  logger.emit({ body: { order: 7, lines: [1, 2] }, eventName: 'order.placed' })
  logger.emit({ eventName: 'order.paid' })
  logs.getLogger('').emit({ body: null, timestamp: Date.now() })
  expect(
    recording
      .read()
      .logs()
      .map(({ level, target, msg, properties }) => [level, target, msg, properties]),
  ).toEqual([
    [Level.Warn, 'shop.audit', 'slow', { ms: '12', tags: '["a"]' }],
    [Level.Info, 'shop.audit', '{"order":7,"lines":[1,2]}', { 'event.name': 'order.placed' }],
    [Level.Info, 'shop.audit', 'order.paid', { 'event.name': 'order.paid' }],
    [Level.Info, 'opentelemetry', '', {}],
  ])
})

test('a record with many attributes names its span all the same', async () => {
  await using recording = startRecording()
  const span = trace.getTracer('t').startSpan('s')
  const attributes = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`a${i}`, i]))
  logs.getLogger('x').emit({ attributes, context: trace.setSpan(ROOT_CONTEXT, span) })
  span.end()
  expect(recording.read().logs()[0]!.properties).toMatchObject({
    span_id: span.spanContext().spanId,
    a9: '9',
  })
})

test('severities map as the ingestion service maps those of OTLP, and by their text where there is no number', async () => {
  await using recording = startRecording()
  const logger = logs.getLogger('x')
  for (let severityNumber = 0; severityNumber <= 24; severityNumber++) logger.emit({ severityNumber })
  for (const severityText of ['FATAL', 'warning', 'off', 'whatever']) logger.emit({ severityText })
  const levels = recording
    .read()
    .logs()
    .map(({ level }) => level)
  expect(levels.slice(0, 25).join('')).toBe('4666655554444333322221111')
  expect(levels.slice(25)).toEqual([Level.Fatal, Level.Warn, Level.Info, Level.Info])
})

test('an exception is told with its stack', async () => {
  await using recording = startRecording()
  logs
    .getLogger('x')
    .emit({ severityNumber: SeverityNumber.ERROR, body: 'load failed', exception: new Error('refused') })
  expect(recording.read().logs()[0]!.msg).toMatch(/^load failed\nError: refused\n {4}at /)
})

test('the type of an exception is a property, and what is no error is told, too', async () => {
  await using recording = startRecording()
  const logger = logs.getLogger('x')
  logger.emit({ body: 'failed', exception: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) })
  logger.emit({ body: 'failed', exception: 'refused' })
  logger.emit({ exception: { reason: 'refused' } })
  logger.emit({ body: 'fine', exception: null as never })
  const found = recording
    .read()
    .logs()
    .map(({ msg, properties }) => [msg.split('\n    at')[0], properties['exception.type']])
  expect(found).toEqual([
    ['failed\nError: refused', 'ECONNREFUSED'],
    ['failed\nrefused', undefined],
    ['{"reason":"refused"}', undefined],
    ['fine', undefined],
  ])
})

test('what breaks the types of the API costs itself, not the host', async () => {
  await using recording = startRecording()
  const odd = (value: unknown): never => value as never
  const logger = logs.getLogger(odd(undefined), odd(7), odd(null))
  for (const record of [undefined, null, 7, 'text', {}]) logger.emit(odd(record))
  logger.emit({
    severityNumber: odd('17'),
    severityText: odd(7),
    attributes: odd('text'),
    body: Symbol('s') as never,
  })
  logger.emit({ context: odd({}), attributes: odd(null), eventName: odd(7) })
  logger.emit({
    get body(): never {
      throw new Error('no')
    },
  })
  expect(logger.enabled(odd(null))).toBe(true)
  const lines = recording.read().logs()
  expect(lines.map(({ msg }) => msg)).toEqual(['', '', '', '', '', 'Symbol(s)', '7'])
})

test('a record names the span it was emitted in: of the API, of our own, or of the context it was given', async () => {
  await using recording = startRecording()
  const logger = logs.getLogger('x')
  let own = ''
  const span = trace.getTracer('t').startSpan('s')
  context.with(trace.setSpan(ROOT_CONTEXT, span), () => logger.emit({ body: 'in a span' }))
  logger.emit({ body: 'given a span', context: trace.setSpan(ROOT_CONTEXT, span) })
  await asyncSpan('ours', async () => {
    own = trace.getActiveSpan()!.spanContext().spanId
    logger.emit({ body: 'in ours' })
  })
  span.end()
  const sink = recording.read()
  const [inSpan, given, inOurs] = sink.logs()
  const [row, ownRow] = sink.asyncSpans()
  const ids = {
    trace_id: span.spanContext().traceId,
    span_id: span.spanContext().spanId,
    async_span_id: String(row!.id),
  }
  expect(inSpan!.properties).toEqual(ids)
  expect(given!.properties).toEqual(ids)
  expect(inOurs!.properties).toMatchObject({ span_id: own, async_span_id: String(ownRow!.id) })
})

test('what filters leave out is not enabled and not recorded', async () => {
  await using recording = startRecording({ maxLevel: Level.Info, targetMaxLevels: { quiet: Level.Error } })
  const logger = logs.getLogger('loud')
  const quiet = logs.getLogger('quiet.part')
  expect(logger.enabled({ severityNumber: SeverityNumber.DEBUG })).toBe(false)
  expect(logger.enabled({ severityNumber: SeverityNumber.INFO })).toBe(true)
  expect(logger.enabled()).toBe(true)
  expect(quiet.enabled({ severityNumber: SeverityNumber.WARN })).toBe(false)
  logger.emit({ severityNumber: SeverityNumber.DEBUG, body: 'no' })
  quiet.emit({ severityNumber: SeverityNumber.WARN, body: 'no' })
  quiet.emit({ severityNumber: SeverityNumber.ERROR, body: 'yes' })
  expect(
    recording
      .read()
      .logs()
      .map(({ msg }) => msg),
  ).toEqual(['yes'])
})

test('a logger got before is connected where the API’s object is given, and silent after unregistering', async () => {
  unregister()
  const early = logs.getLogger('early')
  await using recording = startRecording()
  early.emit({ body: 'too early' })
  unregister = registerOpenTelemetryBridge({ logsApi: logs })
  early.emit({ body: 'connected' })
  const provider: LoggerProvider = logs.getLoggerProvider()
  expect(provider.getLogger('x').enabled()).toBe(true)
  unregister()
  early.emit({ body: 'too late' })
  expect(logs.getLogger('x').enabled()).toBe(false)
  expect(
    recording
      .read()
      .logs()
      .map(({ msg }) => msg),
  ).toEqual(['connected'])
})
