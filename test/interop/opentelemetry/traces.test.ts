import { EventEmitter, once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import {
  context,
  createContextKey,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withoutTracing } from '../../../src/http/clients/suppress-tracing.ts'
import { registerOpenTelemetryBridge } from '../../../src/interop/opentelemetry.ts'
import { Level } from '../../../src/model/level.ts'
import type { DecodedLogEntry } from '../../../src/telemetry/decode/log-entries.ts'
import type { SpanRow } from '../../../src/telemetry/decode/span-place.ts'
import { asyncSpan, beginAsyncSpan, spanBound } from '../../../src/tracing/spans/span.ts'
import { type Recording, startRecording } from '../support/recording.ts'

let unregister: () => void
beforeEach(() => {
  unregister = registerOpenTelemetryBridge()
})
afterEach(() => unregister())

/** The spans as a tree of names, children in order of their begin. */
type Tree = { [name: string]: Tree }

function treeOf(recording: Recording): Tree {
  const spans = recording.read().asyncSpans()
  const below = (parent: bigint, depth: number): Tree =>
    Object.fromEntries(
      spans
        .filter((span) => span.parent === parent)
        .map((span) => {
          expect(span.depth).toBe(depth)
          return [span.name, below(span.id, depth + 1)]
        }),
    )
  return below(0n, 0)
}

function spansOf(recording: Recording): readonly SpanRow[] {
  return recording.read().asyncSpans()
}

function logsOf(recording: Recording): readonly DecodedLogEntry[] {
  return recording.read().logs()
}

test('a span of the API is an async span with the target of its tracer and the place of its caller', async () => {
  await using recording = startRecording()
  const span = trace.getTracer('shop').startSpan('load order')
  await turn()
  span.end()
  trace.getTracer('').startActiveSpan('nameless tracer', (active) => active.end())
  const [load, nameless] = spansOf(recording)
  expect(load).toMatchObject({ name: 'load order', target: 'shop', parent: 0n, depth: 0 })
  expect(load!.durationNs).toBeGreaterThan(0n)
  expect(load!.filename).toMatch(/traces\.test\.ts$/)
  expect(load!.line).toBeGreaterThan(0)
  expect(nameless).toMatchObject({ name: 'nameless tracer', target: 'opentelemetry' })
  expect(nameless!.filename).toMatch(/traces\.test\.ts$/)
})

test('spans of the API and our own are each other’s parents, across awaits', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('library')
  await asyncSpan('request', async () => {
    await turn()
    await tracer.startActiveSpan('http', async (http) => {
      await turn()
      await asyncSpan('handler', async () => {
        await turn()
        const query = tracer.startSpan('query')
        await turn()
        query.end()
        await asyncSpan('render', async () => turn())
      })
      tracer.startSpan('after the handler').end()
      http.end()
    })
    await asyncSpan('log', async () => turn())
  })
  expect(treeOf(recording)).toEqual({
    request: { http: { handler: { query: {}, render: {} }, 'after the handler': {} }, log: {} },
  })
})

test('concurrent requests do not mix', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('library')
  const serve = async (id: number): Promise<void> => {
    await tracer.startActiveSpan(`request ${id}`, async (span) => {
      for (let i = 0; i < id; i++) await turn()
      await asyncSpan(`handler ${id}`, async () => {
        await turn()
        tracer.startSpan(`query ${id}`).end()
      })
      span.end()
    })
  }
  await Promise.all([1, 2, 3, 4].map(serve))
  expect(treeOf(recording)).toEqual(
    Object.fromEntries(
      [1, 2, 3, 4].map((id) => [`request ${id}`, { [`handler ${id}`]: { [`query ${id}`]: {} } }]),
    ),
  )
})

test('a context is the parent wherever it is given, root or none of it', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('library')
  const outer = tracer.startSpan('outer')
  const inOuter = trace.setSpan(ROOT_CONTEXT, outer)
  await asyncSpan('unrelated', async () => {
    tracer.startSpan('by context', {}, inOuter).end()
    tracer.startActiveSpan('active by context', {}, inOuter, (span) => {
      tracer.startSpan('below it').end()
      span.end()
    })
    tracer.startSpan('root', { root: true }).end()
    tracer.startActiveSpan('rootward', { kind: SpanKind.SERVER }, ROOT_CONTEXT, (span) => span.end())
    await context.with(ROOT_CONTEXT, () => asyncSpan('ours in no span', async () => turn()))
    await context.with(inOuter, () => asyncSpan('ours in outer', async () => turn()))
  })
  outer.end()
  expect(treeOf(recording)).toEqual({
    outer: { 'by context': {}, 'active by context': { 'below it': {} }, 'ours in outer': {} },
    unrelated: {},
    root: {},
    rootward: {},
    'ours in no span': {},
  })
})

test('startActiveSpan gives what its function gives, and throws what it throws', async () => {
  await using _ = startRecording()
  const tracer = trace.getTracer('library')
  expect(tracer.startActiveSpan('a', () => 42)).toBe(42)
  expect(tracer.startActiveSpan('a', {}, () => 43)).toBe(43)
  expect(tracer.startActiveSpan('a', {}, ROOT_CONTEXT, () => 44)).toBe(44)
  await expect(tracer.startActiveSpan('a', async () => Promise.reject(new Error('b')))).rejects.toThrow('b')
  expect(trace.getActiveSpan()).toBeUndefined()
})

test('the active span is there in spans of our own too, with ids that others can go on with', async () => {
  await using _ = startRecording()
  const tracer = trace.getTracer('library')
  expect(trace.getActiveSpan()).toBeUndefined()
  await asyncSpan('request', async () => {
    const request = trace.getActiveSpan()!.spanContext()
    expect(isSpanContextValid(request)).toBe(true)
    expect(request.traceFlags).toBe(TraceFlags.SAMPLED)
    await turn()
    expect(trace.getActiveSpan()!.spanContext()).toEqual(request)
    await asyncSpan('handler', async () => {
      const handler = trace.getActiveSpan()!.spanContext()
      expect(handler.traceId).toBe(request.traceId)
      expect(handler.spanId).not.toBe(request.spanId)
      const query = tracer.startSpan('query').spanContext()
      expect(query.traceId).toBe(request.traceId)
    })
  })
  await asyncSpan('another', async () => {
    const seen = new Set<string>()
    for (let i = 0; i < 100; i++) seen.add(tracer.startSpan('x', { root: true }).spanContext().traceId)
    expect(seen.size).toBe(100)
  })
})

test('a trace that comes from elsewhere goes on: its id, its sampling and its state', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('library')
  const remote = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.NONE,
    isRemote: true,
  }
  const incoming = trace.setSpanContext(ROOT_CONTEXT, remote)
  await tracer.startActiveSpan('serve', { kind: SpanKind.SERVER }, incoming, async (span) => {
    const { traceId, traceFlags, spanId } = span.spanContext()
    expect({ traceId, traceFlags }).toEqual({ traceId: remote.traceId, traceFlags: TraceFlags.NONE })
    expect(spanId).not.toBe(remote.spanId)
    await asyncSpan('handler', async () => {
      const view = trace.getActiveSpan()!
      expect(view.spanContext().traceId).toBe(remote.traceId)
      expect(tracer.startSpan('call').spanContext()).toMatchObject({ traceId: remote.traceId, traceFlags: 0 })
    })
    span.end()
  })
  expect(spansOf(recording).find(({ name }) => name === 'serve')).toMatchObject({ parent: 0n, depth: 0 })
  const serve = spansOf(recording).find(({ name }) => name === 'serve')!
  expect(serve.properties).toMatchObject({ trace_id: remote.traceId, parent_span_id: remote.spanId })
})

test('an exception is an error log with its stack that names the span', async () => {
  await using recording = startRecording()
  const span = trace.getTracer('shop').startSpan('charge', { attributes: { 'order.id': 7 } })
  span.recordException(new TypeError('no card'))
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'no card' })
  span.end()
  const [row] = spansOf(recording)
  const [log, ...others] = logsOf(recording).filter(({ level }) => level < Level.Trace)
  expect(others).toEqual([]) // the status says nothing new
  expect(log).toMatchObject({ level: Level.Error, target: 'shop' })
  expect(log!.msg).toMatch(/^TypeError: no card\n {4}at /)
  expect(log!.properties).toEqual({
    'order.id': '7',
    'exception.type': 'TypeError',
    trace_id: span.spanContext().traceId,
    span_id: span.spanContext().spanId,
    async_span_id: String(row!.id),
  })
})

test('exceptions that are no Error are recorded by what they have; what is no exception is not', async () => {
  await using recording = startRecording()
  const span = trace.getTracer('shop').startSpan('charge')
  span.recordException('plain text')
  span.recordException({ name: 'Refused', message: 'no card' })
  span.recordException({ code: 17 })
  span.recordException({ code: 'E_CARD', name: 'Refused', message: 'no card', stack: 'at somewhere' })
  span.recordException({ message: 'with stack', stack: 'Custom: with stack\n    at somewhere' })
  span.recordException(undefined as unknown as string)
  span.recordException({ foo: 'bar' } as unknown as string)
  span.end()
  const errors = logsOf(recording).filter(({ level }) => level === Level.Error)
  expect(errors.map(({ msg, properties }) => [msg, properties['exception.type']])).toEqual([
    ['plain text', undefined],
    ['Refused: no card', 'Refused'],
    ['17', '17'],
    ['Refused: no card\nat somewhere', 'E_CARD'],
    ['Custom: with stack\n    at somewhere', undefined],
  ])
})

test('an AggregateError shows its errors, of this realm, of another, and as a serializer left it', async () => {
  await using recording = startRecording()
  const span = trace.getTracer('shop').startSpan('connect')
  const refused = [
    new Error('connect ECONNREFUSED ::1:5432'),
    new Error('connect ECONNREFUSED 127.0.0.1:5432'),
  ]
  span.recordException(new AggregateError(refused, 'all addresses refuse'))
  span.recordException(runInNewContext("new AggregateError([new Error('far')], 'all far')"))
  const { message, stack } = new Error('near')
  span.recordException({ name: 'AggregateError', message: 'all near', errors: [{ message, stack }] } as never)
  span.end()
  const texts = logsOf(recording)
    .filter(({ level }) => level === Level.Error)
    .map((log) => log.msg)
  for (const { message: each } of refused) expect(texts[0]).toContain(each)
  expect(texts[1]).toMatch(/all far[\s\S]*far/)
  expect(texts[2]).toMatch(/^AggregateError: all near[\s\S]*Error: near/)
})

test('what a status says is told unless an exception has said it', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('shop')
  const told = tracer.startSpan('told')
  told.recordException(new Error('no card on file'))
  told.setStatus({ code: SpanStatusCode.ERROR, message: 'no card' })
  told.end()
  const other = tracer.startSpan('other')
  other.recordException(new Error('no card'))
  other.setStatus({ code: SpanStatusCode.ERROR, message: 'gave up after 3 attempts' })
  other.end()
  const none = tracer.startSpan('none')
  none.recordException(null as never)
  none.setStatus({ code: SpanStatusCode.ERROR, message: 'gave up' })
  none.end()
  const warnings = logsOf(recording).filter(({ level }) => level === Level.Warn)
  expect(warnings.map(({ msg }) => msg)).toEqual(['other: gave up after 3 attempts', 'none: gave up'])
})

test('however many attributes a span has, its logs name it and say what it was', async () => {
  await using recording = startRecording()
  const span = trace.getTracer('shop').startSpan('wide', { kind: SpanKind.CLIENT })
  for (let i = 0; i < 200; i++) span.setAttribute(`a${i}`, i)
  span.setAttributes({ trace_id: 'mine', 'span.kind': 'mine' })
  span.recordException(new Error('wide'))
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'wide' })
  span.end()
  const { traceId, spanId } = span.spanContext()
  const [error] = logsOf(recording)
  const [end] = spansOf(recording)
  for (const { properties } of [error!, end!]) {
    expect(properties).toMatchObject({ trace_id: traceId, span_id: spanId, a0: '0', a99: '99' })
    expect(Object.keys(properties)).toHaveLength(128)
  }
  expect(end!.properties).toMatchObject({
    'span.kind': 'CLIENT',
    'span.status': 'ERROR',
    'span.status_message': 'wide',
  })
})

test('an attribute set again and again takes the room of one', async () => {
  await using recording = startRecording()
  const span = trace.getTracer('shop').startSpan('x')
  for (let i = 0; i < 1000; i++) span.setAttribute('a', i).setAttribute(`b${i % 99}`, i)
  span.setAttribute('late', 1).setAttribute('__proto__', 'own')
  span.end()
  const { properties } = spansOf(recording)[0]!
  expect(properties).toMatchObject({ a: '999', b98: '989', late: '1' })
  expect(Object.getOwnPropertyDescriptor(properties, '__proto__')?.value).toBe('own')
})

test('links have their attributes', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('shop')
  const linked = tracer.startSpan('linked').spanContext()
  const span = tracer.startSpan('x', { links: [{ context: linked }] })
  span.addLink({ context: linked, attributes: { reason: 'retry', attempt: 2 } })
  span.end()
  expect(spansOf(recording).at(-1)!.properties['span.link_attributes']).toBe(
    '[{},{"reason":"retry","attempt":2}]',
  )
})

test('a status of error without an exception is a warning at the end; ok is final', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('shop')
  const failed = tracer.startSpan('GET', { attributes: { 'http.response.status_code': 503 } })
  failed.updateName('GET /orders')
  failed.setStatus({ code: SpanStatusCode.ERROR })
  failed.setStatus({ code: SpanStatusCode.UNSET })
  failed.end()
  const fine = tracer.startSpan('fine')
  fine.setStatus({ code: SpanStatusCode.OK })
  fine.setStatus({ code: SpanStatusCode.ERROR, message: 'too late' })
  fine.end()
  const warnings = logsOf(recording).filter(({ level }) => level === Level.Warn)
  expect(warnings.map(({ msg }) => msg)).toEqual(['GET /orders: failed'])
  expect(warnings[0]!.properties).toMatchObject({ 'http.response.status_code': '503' })
  const [first, second] = spansOf(recording)
  expect(first).toMatchObject({
    name: 'GET /orders',
    properties: { 'otel.status_code': 'ERROR', 'http.response.status_code': '503' },
  })
  expect(second!.properties['otel.status_code']).toBeUndefined()
})

test('events are debug logs; what else is known of the span are its properties', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('shop')
  const parent = tracer.startSpan('parent')
  const linked = tracer.startSpan('linked')
  const span = tracer.startSpan(
    'publish',
    { kind: SpanKind.PRODUCER, attributes: { a: 1 }, links: [{ context: linked.spanContext() }] },
    trace.setSpan(ROOT_CONTEXT, parent),
  )
  span.setAttribute('b', true).setAttributes({ c: ['x', 'y'], a: 2 })
  span.addLink({ context: parent.spanContext() })
  span.addEvent('sent', { bytes: 12 }).addEvent('acknowledged', Date.now()).addEvent('twice', [1, 2])
  span.updateName('publish order')
  span.end()
  span.setAttribute('late', 1).addEvent('late').updateName('late').setStatus({ code: SpanStatusCode.ERROR })
  span.recordException(new Error('late'))
  span.end()
  expect(span.isRecording()).toBe(false)
  const ids = { trace_id: span.spanContext().traceId, span_id: span.spanContext().spanId }
  const logs = logsOf(recording)
  expect(logs.slice(0, 3)).toMatchObject([
    { level: Level.Debug, target: 'shop', msg: 'sent', properties: { bytes: '12', ...ids } },
    { level: Level.Debug, msg: 'acknowledged', properties: ids },
    { level: Level.Debug, msg: 'twice', properties: ids },
  ])
  expect(logs.slice(3)).toEqual([])
  const published = spansOf(recording).find(({ name }) => name === 'publish order')!
  expect(published.properties).toMatchObject({
    ...ids,
    a: '2',
    b: 'true',
    c: '["x","y"]',
    'span.kind': 'PRODUCER',
    parent_span_id: parent.spanContext().spanId,
    'span.links': [linked, parent]
      .map((s) => `${s.spanContext().traceId}-${s.spanContext().spanId}`)
      .join(' '),
  })
})

test('by default, at level debug, a span that went well writes no log', async () => {
  await using recording = startRecording({ maxLevel: Level.Debug })
  const span = trace.getTracer('shop').startSpan('fine', { attributes: { a: 1 } })
  span.end()
  expect(logsOf(recording)).toEqual([])
  expect(spansOf(recording)).toHaveLength(1)
})

test('what the API says to a span of our own becomes logs, and does not end it', async () => {
  await using recording = startRecording()
  await asyncSpan('ours', async () => {
    const span = trace.getActiveSpan()!
    expect(span.isRecording()).toBe(true)
    span
      .setAttribute('a', 1)
      .setAttributes({ b: 2 })
      .addLink({ context: span.spanContext() })
      .updateName('other')
    span.addEvent('step')
    span.recordException(new Error('broken'))
    span.setStatus({ code: SpanStatusCode.OK }).setStatus({ code: SpanStatusCode.ERROR, message: 'gave up' })
    span.end()
    await turn()
  })
  const [row, ...others] = spansOf(recording)
  expect(others).toEqual([])
  expect(row!.name).toBe('ours')
  const logs = logsOf(recording)
  expect(logs.map(({ level, target }) => [level, target])).toEqual([
    [Level.Debug, 'app'],
    [Level.Error, 'app'],
    [Level.Warn, 'app'],
  ])
  expect(logs[2]!.msg).toBe('ours: gave up')
  for (const { properties } of logs) expect(properties.async_span_id).toBe(String(row!.id))
})

test('nothing is recorded where tracing is suppressed, as for uploads of this SDK', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('library')
  await asyncSpan('ours', async () => {
    const outer = trace.getActiveSpan()!.spanContext()
    await context.with(suppressTracing(context.active()), async () => {
      await turn()
      const span = tracer.startSpan('suppressed')
      expect(span.isRecording()).toBe(false)
      expect(span.spanContext()).toEqual(outer)
      span.end()
    })
    await withoutTracing(async () => {
      await turn()
      tracer.startActiveSpan('suppressed too', (span) => span.end())
    })
    tracer.startSpan('seen').end()
  })
  expect(treeOf(recording)).toEqual({ ours: { seen: {} } })
})

test('without CPU tracing no span is recorded and traces pass through', async () => {
  await using recording = startRecording({ cpuTracing: false })
  const tracer = trace.getTracer('library')
  const remote = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }
  const span = tracer.startSpan('off', {}, trace.setSpanContext(ROOT_CONTEXT, remote))
  expect(span.isRecording()).toBe(false)
  expect(span.spanContext()).toEqual(remote)
  span.recordException(new Error('x'))
  span.end()
  expect(isSpanContextValid(tracer.startSpan('off').spanContext())).toBe(false)
  expect(spansOf(recording)).toEqual([])
  expect(logsOf(recording)).toEqual([])
})

test('a context carries values, and goes where its functions and emitters go', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('library')
  const key = createContextKey('user')
  const emitter = new EventEmitter()
  const seen: unknown[] = []
  emitter.on('early', () => seen.push(context.active().getValue(key)))
  let bound: (a: number, b: number) => number = () => 0
  tracer.startActiveSpan('request', (span) => {
    const inUser = context.active().setValue(key, 'ada')
    expect(context.bind(inUser, emitter)).toBe(emitter)
    context.bind(ROOT_CONTEXT, emitter) // the first one stays
    emitter.once('late', () => {
      seen.push(context.active().getValue(key))
      tracer.startSpan('in the listener').end()
    })
    bound = context.bind(inUser, function (this: unknown, a: number, b: number) {
      seen.push(context.active().getValue(key), this)
      tracer.startSpan('in the function').end()
      return a + b
    })
    span.end()
  })
  expect(context.bind(ROOT_CONTEXT, 42)).toBe(42)
  expect(context.active()).toBe(ROOT_CONTEXT)
  const self = { bound }
  expect(self.bound(1, 2)).toBe(3)
  expect(bound).toHaveLength(2)
  emitter.emit('early')
  const late = once(emitter, 'late')
  expect(emitter.emit('late', 'value')).toBe(true)
  await expect(late).resolves.toEqual(['value'])
  expect(emitter.emit('nobody')).toBe(false)
  expect(seen).toEqual(['ada', self, 'ada', 'ada'])
  expect(
    context.with(
      ROOT_CONTEXT,
      function (this: unknown, x) {
        return [this, x]
      },
      'self',
      1,
    ),
  ).toEqual(['self', 1])
  expect(treeOf(recording)).toEqual({ request: { 'in the function': {}, 'in the listener': {} } })
})

test('a span of ours that is entered by its handle is the parent there', async () => {
  await using recording = startRecording()
  const tracer = trace.getTracer('library')
  const handle = beginAsyncSpan('by hand')
  await tracer.startActiveSpan('elsewhere', async (span) => {
    await handle.run(async () => {
      await turn()
      tracer.startSpan('in the handle').end()
      expect(trace.getActiveSpan()!.spanContext().traceId).not.toBe(span.spanContext().traceId)
    })
    span.end()
  })
  handle.end()
  expect(treeOf(recording)).toEqual({ 'by hand': { 'in the handle': {} }, elsewhere: {} })
})

test('ten thousand span names are all recorded, though not all are remembered', async () => {
  await using recording = startRecording()
  const before = spanBound.overflows
  const tracer = trace.getTracer('library')
  for (let i = 0; i < 10_000; i++) tracer.startSpan(`/users/${i}`).end()
  const spans = spansOf(recording)
  expect(new Set(spans.map(({ name }) => name)).size).toBe(10_000)
  expect(new Set(spans.map(({ target }) => target))).toEqual(new Set(['library']))
  expect(spanBound.overflows).toBe(before) // the names of our own spans have their own room
})

test('attributes are read when they are written', async () => {
  await using recording = startRecording()
  const attributes: Record<string, string> = { a: 'before' }
  const span: Span = trace.getTracer('shop').startSpan('x', { attributes })
  attributes.a = 'after'
  span.end()
  expect(spansOf(recording)[0]!.properties.a).toBe('before')
})

test('what breaks the types of the API costs itself, not the host', async () => {
  await using recording = startRecording()
  const nothing = undefined as never
  const hostile = {
    get stack(): never {
      throw new Error('no')
    },
  }
  const tracer = trace.getTracer(nothing)
  const span = tracer.startSpan(42 as never, null as never)
  span.setAttributes(nothing).setAttribute(nothing, nothing).addLinks(nothing).addLink(nothing)
  span
    .setStatus(nothing)
    .addEvent(nothing, null as never)
    .updateName(nothing)
  span.recordException(hostile as never)
  span.end()
  await asyncSpan('ours', async () => trace.getActiveSpan()!.setStatus(nothing))
  expect(spansOf(recording).map(({ name }) => name)).toEqual(['undefined', 'ours'])
  expect(logsOf(recording).map(({ level }) => level)).toEqual([Level.Debug])
})
