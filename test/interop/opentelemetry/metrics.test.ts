import { once } from 'node:events'
import { DiagLogLevel, diag, metrics, type ObservableResult, ValueType } from '@opentelemetry/api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { registerOpenTelemetryBridge } from '../../../src/interop/opentelemetry.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import { type Recording, startRecording } from '../support/recording.ts'

let unregister: () => void
beforeEach(() => {
  unregister = registerOpenTelemetryBridge({ observablePeriodMs: 100 })
})
afterEach(() => unregister())

type Row = [name: string, value: number, properties: Readonly<Record<string, string>>]

function rowsOf(recording: Recording): Row[] {
  return recording
    .read()
    .metrics()
    .map(({ name, value, properties }) => [name, value, properties])
}

/** Resolves when the collector has come round again. */
async function collected(): Promise<void> {
  const round = metrics.getMeter('test').createObservableGauge('round')
  await new Promise<void>((resolve) => {
    const callback = (): void => {
      round.removeCallback(callback)
      resolve()
    }
    round.addCallback(callback)
  })
}

test('a counter records its increments, with unit, target and attributes', async () => {
  await using recording = startRecording()
  const counter = metrics
    .getMeter('shop')
    .createCounter('orders', { unit: '{order}', valueType: ValueType.INT })
  counter.add(1)
  counter.add(2, { region: 'eu', express: true })
  counter.add(0.5)
  const measures = recording.read().metrics()
  expect(measures.map(({ value }) => value)).toEqual([1, 2, 0]) // a fraction is cut off, as in OpenTelemetry's SDK
  expect(measures[1]).toMatchObject({
    name: 'orders',
    unit: '{order}',
    target: 'shop',
    properties: { region: 'eu', express: 'true' },
  })
})

test('histograms and gauges record every value', async () => {
  await using recording = startRecording()
  const meter = metrics.getMeter('shop')
  const latency = meter.createHistogram('latency', { unit: 'ms' })
  const temperature = meter.createGauge('temperature')
  latency.record(12.5)
  latency.record(7, { route: '/a' })
  temperature.record(-4)
  expect(rowsOf(recording)).toEqual([
    ['latency', 12.5, {}],
    ['latency', 7, { route: '/a' }],
    ['temperature', -4, {}],
  ])
})

test('an up-down counter records the sum so far by attributes, whoever holds it', async () => {
  await using recording = startRecording()
  const meter = metrics.getMeter('shop')
  const open = meter.createUpDownCounter('connections')
  open.add(2, { pool: 'a', db: 'x' })
  open.add(1, { pool: 'b' })
  metrics.getMeter('shop').createUpDownCounter('connections').add(-1, { db: 'x', pool: 'a' })
  open.add(3)
  open.add(-5)
  expect(rowsOf(recording).map(([, value, { pool }]) => [value, pool])).toEqual([
    [2, 'a'],
    [1, 'b'],
    [1, 'a'],
    [3, undefined],
    [-2, undefined],
  ])
})

test('beyond 2000 sets of attributes an up-down counter keeps one sum for all others', async () => {
  await using recording = startRecording()
  const counter = metrics.getMeter('shop').createUpDownCounter('sessions')
  for (let i = 0; i < 2003; i++) counter.add(1, { user: i })
  counter.add(1, { user: 0 })
  const rows = rowsOf(recording).slice(1998)
  expect(rows.map(([, value, properties]) => [value, properties])).toEqual([
    [1, { user: '1998' }],
    [1, { user: '1999' }],
    [1, { 'otel.metric.overflow': 'true' }],
    [2, { 'otel.metric.overflow': 'true' }],
    [3, { 'otel.metric.overflow': 'true' }],
    [2, { user: '0' }],
  ])
})

test('values that no instrument of the kind can have are left out and counted', async () => {
  await using recording = startRecording()
  const meter = metrics.getMeter('shop')
  const before = dispatch.stats.metrics.invalid
  meter.createCounter('c').add(-1)
  meter.createHistogram('h').record(-1)
  meter.createUpDownCounter('u').add(Number.NaN)
  meter.createGauge('g').record(Number.POSITIVE_INFINITY)
  expect(rowsOf(recording)).toEqual([])
  expect(dispatch.stats.metrics.invalid - before).toBe(4)
})

test('attribute values that are no strings, or missing, are recorded as properties are', async () => {
  await using recording = startRecording()
  const counter = metrics.getMeter('shop').createCounter('c')
  counter.add(1, { list: ['a', 'b'], gone: undefined, name: 'x' })
  counter.add(1, {})
  counter.add(1, undefined)
  expect(rowsOf(recording).map(([, , properties]) => properties)).toEqual([
    { list: '["a","b"]', _name: 'x' },
    {},
    {},
  ])
})

test('observable instruments are asked for their values by themselves; counters record what came to them', async () => {
  await using recording = startRecording()
  const meter = metrics.getMeter('shop')
  let total = 10
  const gauge = (result: ObservableResult): void => result.observe(-3, { queue: 'a' })
  meter.createObservableGauge('depth').addCallback(gauge)
  meter.createObservableUpDownCounter('in use').addCallback((result) => result.observe(5))
  meter.createObservableCounter('bytes').addCallback((result) => result.observe(total))
  await collected()
  total = 25
  await collected()
  total = 4 // begun anew
  await collected()
  const rows = rowsOf(recording)
  expect(rows.filter(([name]) => name === 'depth').slice(0, 2)).toEqual([
    ['depth', -3, { queue: 'a' }],
    ['depth', -3, { queue: 'a' }],
  ])
  expect(rows.find(([name]) => name === 'in use')).toEqual(['in use', 5, {}])
  const increments = rows.filter(([name, value]) => name === 'bytes' && value > 0).map(([, value]) => value)
  expect(increments).toEqual([10, 15, 4])
})

test('a batch callback observes the instruments it was added for, and no others', async () => {
  await using recording = startRecording()
  const meter = metrics.getMeter('shop')
  const a = meter.createObservableGauge('a')
  const b = meter.createObservableGauge('b')
  const other = meter.createObservableGauge('other')
  let calls = 0
  const callback = (result: { observe: (o: typeof a, value: number) => void }): void => {
    calls++
    result.observe(a, 1)
    result.observe(b, 2)
    result.observe(other, 3)
  }
  meter.addBatchObservableCallback(callback, [a, b])
  meter.addBatchObservableCallback(callback, [b, a]) // the same
  await collected()
  const before = calls
  expect(before).toBe(1)
  meter.removeBatchObservableCallback(callback, [a, b])
  await collected()
  expect(calls).toBe(before)
  expect(rowsOf(recording)).toEqual([
    ['a', 1, {}],
    ['b', 2, {}],
  ])
})

test('a callback that fails is told to the diagnostics of the API, one that is still waiting is not asked again', async () => {
  await using recording = startRecording()
  const errors: string[] = []
  const none = (): void => {}
  const logger = {
    error: (_: string, error: unknown) => errors.push(String(error)),
    warn: none,
    info: none,
    debug: none,
    verbose: none,
  }
  diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR })
  const meter = metrics.getMeter('shop')
  const gauge = meter.createObservableGauge('g')
  const thrower = (): void => {
    throw new Error('thrown')
  }
  const rejecter = async (): Promise<void> => Promise.reject(new Error('rejected'))
  let finish = (): void => {}
  let asked = 0
  const waiter = async (result: ObservableResult): Promise<void> => {
    asked++
    await new Promise<void>((resolve) => (finish = resolve))
    result.observe(asked)
  }
  for (const callback of [thrower, rejecter, waiter]) gauge.addCallback(callback)
  await collected()
  await collected()
  expect(asked).toBe(1)
  for (const callback of [thrower, rejecter]) gauge.removeCallback(callback)
  finish()
  await collected()
  expect(asked).toBe(2)
  finish()
  gauge.removeCallback(waiter)
  diag.disable()
  expect(new Set(errors)).toEqual(new Set(['Error: thrown', 'Error: rejected']))
  expect(rowsOf(recording)[0]).toEqual(['g', 1, {}])
})

test('unregistering asks once more, and records nothing afterwards', async () => {
  await using recording = startRecording()
  const meter = metrics.getMeter('shop')
  const counter = meter.createCounter('c')
  let asked = 0
  meter.createObservableGauge('g').addCallback((result) => result.observe(++asked))
  unregister()
  const after = asked
  expect(after).toBeGreaterThan(0)
  counter.add(1)
  meter.createUpDownCounter('u').add(1)
  meter.createObservableGauge('h').addCallback((result) => result.observe(++asked))
  expect(rowsOf(recording)).toEqual([['g', after, {}]])
  expect(metrics.getMeter('shop').createCounter('c')).not.toBe(counter)
})

test('the timer of observable instruments is there while there are some, and does not hold the process', async () => {
  const { spawn } = await import('node:child_process')
  const script = new URL('../support/observing.mjs', import.meta.url)
  const child = spawn(process.execPath, [script.pathname], { stdio: ['ignore', 'inherit', 'inherit'] })
  expect(await once(child, 'exit')).toEqual([0, null])
})
