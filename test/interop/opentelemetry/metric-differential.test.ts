import { runInNewContext } from 'node:vm'
import {
  type Attributes,
  type Meter,
  type MetricOptions,
  metrics,
  type Observable,
  type ObservableResult,
  ValueType,
} from '@opentelemetry/api'
import type { Histogram, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { expect, test } from 'vitest'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'
import type { Recording } from '../support/recording.ts'
import { observe, outcomeOf, withBridge, withReference } from './support/both.ts'

/** What is known of a metric in the end, in words that both sides have: by name and attributes. */
type Shown = Record<string, unknown>

const NAMES = { counter: 'counter', updown: 'updown', gauge: 'gauge', histogram: 'histogram' }

function keyOf(name: string, attributes: object): string {
  return `${name} ${JSON.stringify(Object.entries(attributes).sort())}`
}

function ofReference(collected: ResourceMetrics): Shown {
  const shown: Shown = {}
  for (const { metrics: each } of collected.scopeMetrics) {
    for (const { descriptor, dataPoints } of each) {
      for (const { attributes, value } of dataPoints) {
        const key = keyOf(descriptor.name, propertySet(attributes).toJSON())
        if (typeof value === 'number') shown[key] = value
        else {
          const { count, sum, min, max } = value as Histogram
          shown[key] = { count, sum, min, max }
        }
      }
    }
  }
  return shown
}

/** The SDK keeps sums and distributions; they come of the values that the bridge records. */
function ofBridge(recording: Recording): Shown {
  const shown: Shown = {}
  const values = new Map<string, number[]>()
  for (const { name, value, properties } of recording.read().metrics()) {
    const key = keyOf(name, properties)
    values.set(key, [...(values.get(key) ?? []), Number(value)])
  }
  for (const [key, all] of values) {
    const sum = all.reduce((total, value) => total + value, 0)
    if (key.startsWith(NAMES.counter)) shown[key] = sum
    else if (key.startsWith(NAMES.histogram))
      shown[key] = { count: all.length, sum, min: Math.min(...all), max: Math.max(...all) }
    else shown[key] = all.at(-1)
  }
  return shown
}

/** What breaks the types of the API. */
const odd = (value: unknown): never => value as never

interface Sync {
  add(value: number, attributes?: Attributes): void
}
const sync: Record<string, (meter: Meter, options?: MetricOptions) => Sync> = {
  counter: (meter, options) => meter.createCounter(NAMES.counter, options),
  'up-down counter': (meter, options) => meter.createUpDownCounter(NAMES.updown, options),
  gauge: (meter, options) => {
    const gauge = meter.createGauge(NAMES.gauge, options)
    return { add: (value, attributes) => gauge.record(value, attributes) }
  },
  histogram: (meter, options) => {
    const histogram = meter.createHistogram(NAMES.histogram, options)
    return { add: (value, attributes) => histogram.record(value, attributes) }
  },
}

function addAll(instrument: Sync, given: readonly unknown[], attributes?: Attributes): void {
  for (const value of given) instrument.add(value as number, attributes)
}

type Case = [options: MetricOptions | undefined, use: (instrument: Sync) => void]
const values: Record<string, Case> = {
  'common values': [undefined, (each) => addAll(each, [1, 2.5, 0])],
  'negative values': [undefined, (each) => addAll(each, [1, -1, -2.5])],
  'values with attributes': [
    { unit: 'ms' },
    (each) => {
      each.add(1, { a: 1 })
      each.add(2, { b: 'x', a: 1 })
      each.add(3, { a: 1, b: 'x' })
      each.add(4, {})
      each.add(5, undefined)
    },
  ],
  'integers of an instrument of integers': [{ valueType: ValueType.INT }, (each) => each.add(3)],
  'fractions of an instrument of integers': [
    { valueType: ValueType.INT },
    (each) => addAll(each, [3, 1.9, -1.9, 0.1], { a: 1 }),
  ],
  'infinities and NaN of an instrument of integers': [
    { valueType: ValueType.INT },
    (each) => addAll(each, [1, Infinity, -Infinity, NaN]),
  ],
  'values that are no numbers': [
    undefined,
    (each) => addAll(each, ['1', null, undefined, true, 1n, {}, [2]]),
  ],
  'values that are no numbers, of an instrument of integers': [
    { valueType: ValueType.INT },
    (each) => addAll(each, ['1', null, undefined, true, 1n, {}, [2]]),
  ],
  'attributes that are null': [undefined, (each) => each.add(1, odd(null))],
  'attributes that are a text': [undefined, (each) => each.add(1, odd(7))],
  'a proxy of it': [undefined, (each) => new Proxy(each, {}).add(1)],
}

const pairs = Object.keys(sync).flatMap((kind) => Object.keys(values).map((name) => [kind, name] as const))

test.each(pairs)('a %s does with %s what OpenTelemetry’s SDK does', async (kind, name) => {
  const [options, use] = values[name]!
  const run = (): Promise<unknown> => outcomeOf(() => use(sync[kind]!(metrics.getMeter('t'), options)))
  const expected = await withReference(async (reference, told) => {
    const outcome = await run()
    return { outcome, told: { ...told }, shown: ofReference(await reference.metrics.read()) }
  })
  const found = await withBridge(async (recording, told) => {
    const outcome = await run()
    return { outcome, told: { ...told }, shown: ofBridge(recording) }
  })
  if (expected.outcome === 'threw') expect(found.outcome).not.toBe('threw')
  else expect(found).toEqual(expected)
})

const makers: Record<string, (meter: Meter, name: string, options?: MetricOptions) => unknown> = {
  createCounter: (meter, ...args) => meter.createCounter(...args),
  createUpDownCounter: (meter, ...args) => meter.createUpDownCounter(...args),
  createGauge: (meter, ...args) => meter.createGauge(...args),
  createHistogram: (meter, ...args) => meter.createHistogram(...args),
  createObservableCounter: (meter, ...args) => meter.createObservableCounter(...args),
  createObservableUpDownCounter: (meter, ...args) => meter.createObservableUpDownCounter(...args),
  createObservableGauge: (meter, ...args) => meter.createObservableGauge(...args),
}
const names: unknown[] = [
  ...['a', 'a'.repeat(255), 'a1', 'a-1', 'a.1', 'a_1', 'a/1', 'A'],
  ...['', 'a'.repeat(256), '1a', '-a', '.a', '_a', 'a b', 'ä', 'a\n'],
]
const options: unknown[] = [
  undefined,
  null,
  {},
  'text',
  7,
  { unit: null },
  { unit: 7 },
  { valueType: null },
  { valueType: 'int' },
  { advice: null },
  { description: null },
  { advice: { explicitBucketBoundaries: [] } },
]

test.each(Object.keys(makers))(
  '%s takes the names that OpenTelemetry’s SDK takes, and warns as it does',
  async (maker) => {
    const run = async (told: { warn: number }): Promise<number[]> =>
      names.map((name) => {
        const before = told.warn
        const instrument = makers[maker]!(metrics.getMeter('t'), odd(name))
        expect(instrument).toBeTypeOf('object')
        return told.warn - before
      })
    const expected = await withReference((_, told) => run(told))
    expect(await withBridge((_, told) => run(told))).toEqual(expected)
  },
)

test.each(Object.keys(makers))('%s never throws, whatever its options and name', async (maker) => {
  await withBridge(async () => {
    const meter = metrics.getMeter('t')
    for (const each of options) expect(makers[maker]!(meter, 'n', odd(each))).toBeTypeOf('object')
    for (const each of [undefined, null, 7, {}, Symbol('s')]) {
      expect(makers[maker]!(meter, odd(each))).toBeTypeOf('object')
    }
    const hostile = {
      get unit(): never {
        throw new Error('no')
      },
    }
    expect(makers[maker]!(meter, 'hostile', hostile)).toBeTypeOf('object')
  })
})

test('a meter is got with what OpenTelemetry’s SDK takes for a name', async () => {
  await withBridge(async (recording) => {
    for (const name of ['shop', '', undefined, null, 7]) metrics.getMeter(odd(name)).createCounter('c').add(1)
    expect(
      recording
        .read()
        .metrics()
        .map(({ target }) => target),
    ).toEqual(['shop', 'opentelemetry', 'opentelemetry', 'opentelemetry', '7'])
  })
})

test('instruments of one name that differ are told of once they have values', async () => {
  const run = async (told: { warn: number }): Promise<void> => {
    const meter = metrics.getMeter('t')
    meter.createCounter('n', { unit: 'ms' }).add(1)
    meter.createCounter('n', { unit: 'ms' }).add(1)
    expect(told.warn).toBe(0)
    meter.createCounter('n', { unit: 's' }).add(1)
    expect(told.warn).toBe(1)
    const gauge = meter.createGauge('n', { unit: 'ms' })
    gauge.record(1)
    expect(told.warn).toBeGreaterThan(1)
    const before = told.warn
    gauge.record(1)
    expect(told.warn).toBe(before)
    metrics.getMeter('other').createGauge('n').record(1)
    expect(told.warn).toBe(before)
  }
  await withReference((_, told) => run(told))
  await withBridge((_, told) => run(told))
})

type Observing = (meter: Meter, make: (name: string, options?: MetricOptions) => Observable) => void
const far = (): Promise<void> => runInNewContext('Promise.reject(new Error("far"))')
const observing: Record<string, Observing> = {
  'a value': (_, make) => make('').addCallback((result) => result.observe(5)),
  'values with attributes, the last of which count': (_, make) =>
    make('').addCallback((result) => {
      result.observe(1, { a: 1 })
      result.observe(2, { b: 2, a: 1 })
      result.observe(3, { a: 1 })
      result.observe(4)
      result.observe(5, {})
    }),
  'a value later': (_, make) =>
    make('').addCallback(async (result) => {
      await new Promise((resolve) => setImmediate(resolve))
      result.observe(7)
    }),
  'fractions of integers': (_, make) =>
    make('', { valueType: ValueType.INT }).addCallback((result) => {
      result.observe(1.9, { a: 1 })
      result.observe(NaN, { a: 2 })
    }),
  'values that are no numbers': (_, make) =>
    make('').addCallback((result) => {
      for (const value of ['1', null, undefined, {}, 1n]) result.observe(odd(value), { a: String(value) })
    }),
  'a value, and then it throws': (_, make) =>
    make('').addCallback((result) => {
      result.observe(1)
      throw new Error('thrown')
    }),
  'a value, and then it rejects': (_, make) =>
    make('').addCallback(async (result) => {
      result.observe(1)
      throw new Error('rejected')
    }),
  'a promise of another realm that rejects': (_, make) => make('').addCallback(() => far()),
  'what only looks like a promise, and rejects': (_, make) =>
    make('').addCallback(() =>
      // biome-ignore lint/suspicious/noThenProperty: that is what the case is about
      odd({ then: (_resolve: unknown, reject: (error: Error) => void) => reject(new Error('no')) }),
    ),
  'what only looks like a promise, and throws': (_, make) =>
    make('').addCallback(() =>
      odd({
        // biome-ignore lint/suspicious/noThenProperty: that is what the case is about
        get then(): never {
          throw new Error('no')
        },
      }),
    ),
  'a callback that is none': (_, make) => make('').addCallback(odd(undefined)),
  'a callback that was added twice': (_, make) => {
    const instrument = make('')
    let calls = 0
    const callback = (result: ObservableResult): void => result.observe(++calls)
    instrument.addCallback(callback)
    instrument.addCallback(callback)
  },
  'one callback of two instruments': (_, make) => {
    const callback = async (result: ObservableResult): Promise<void> => result.observe(1)
    make(' one').addCallback(callback)
    make(' two').addCallback(callback)
  },
  'a callback that was removed': (_, make) => {
    const instrument = make('')
    const callback = (result: ObservableResult): void => result.observe(1)
    instrument.addCallback(callback)
    instrument.removeCallback(callback)
    instrument.removeCallback(callback)
    instrument.removeCallback(odd(undefined))
  },
  'a batch': (meter, make) => {
    const one = make(' one')
    const two = make(' two')
    const other = make(' other')
    meter.addBatchObservableCallback(
      (result) => {
        result.observe(one, 1, { a: 1 })
        result.observe(one, 2, { a: 1 })
        result.observe(two, 3)
        result.observe(other, 4)
        result.observe(odd(undefined), 5)
        result.observe(two, odd('6'), { b: 1 })
      },
      [one, two, odd({}), odd(1), odd(undefined)],
    )
  },
  'a batch that throws': (meter, make) => {
    const one = make('')
    meter.addBatchObservableCallback(
      (result) => {
        result.observe(one, 1)
        throw new Error('thrown')
      },
      [one],
    )
  },
  'a batch of nothing': (meter) => meter.addBatchObservableCallback(() => {}, []),
  'a batch of what is no instrument': (meter) =>
    meter.addBatchObservableCallback(() => {}, odd([{}, 1, 'foo', Symbol('s')])),
  'a batch of what is no array': (meter) => meter.addBatchObservableCallback(() => {}, odd(undefined)),
  'a batch that was removed': (meter, make) => {
    const one = make('')
    const callback = (): void => {
      throw new Error('called')
    }
    meter.addBatchObservableCallback(callback, [one])
    meter.removeBatchObservableCallback(callback, [one])
    meter.removeBatchObservableCallback(callback, [one])
    meter.removeBatchObservableCallback(() => {}, [])
  },
}
const observables = {
  counter: 'createObservableCounter',
  updown: 'createObservableUpDownCounter',
  gauge: 'createObservableGauge',
} as const
const observed = Object.keys(observables).flatMap((kind) =>
  Object.keys(observing).map((name) => [kind, name] as const),
)

test.each(observed)('an observable %s does with %s what OpenTelemetry’s SDK does', async (kind, name) => {
  const maker = observables[kind as keyof typeof observables]
  const run = (): Promise<unknown> =>
    outcomeOf(() => {
      const meter = metrics.getMeter('t')
      observing[name]!(meter, (suffix, given) => meter[maker](kind + suffix, given))
    })
  const expected = await withReference(async (reference, told) => {
    const outcome = await run()
    const collected = await reference.metrics.collect()
    return {
      outcome,
      errors: told.error + collected.errors.length,
      shown: ofReference(collected.resourceMetrics),
    }
  })
  const invalid = dispatch.stats.metrics.invalid
  const found = await withBridge(async (recording, told) => {
    const outcome = await run()
    await observe()
    return { outcome, errors: told.error, shown: ofBridge(recording) }
  })
  if (expected.outcome === 'threw') expect(found.outcome).not.toBe('threw')
  else expect(found).toEqual(expected)
  if (name.includes('throws') || name.includes('reject')) {
    expect(dispatch.stats.metrics.invalid).toBeGreaterThan(invalid)
  }
})

test('the total of an observable counter is what came to it, again and again', async () => {
  await withBridge(async (recording) => {
    const totals = [10, 25, 25, 4]
    metrics
      .getMeter('t')
      .createObservableCounter('counter')
      .addCallback((result) => result.observe(totals[0]!))
    while (totals.length > 0) {
      await observe()
      totals.shift()
    }
    expect(
      recording
        .read()
        .metrics()
        .map(({ value }) => value),
    ).toEqual([10, 15, 0, 4])
  })
})
