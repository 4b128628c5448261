import { describe, expect, test } from 'vitest'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { fmetric, imetric } from '../../src/tracing/metric.ts'
import { type Properties, propertySet } from '../../src/tracing/values/property-set.ts'
import { startRecording } from './support/recording.ts'

/** What the metrics recorded by `record` look like to a reader, and how many were counted as invalid. */
async function measuresOf(record: () => void) {
  const { invalid } = dispatch.stats.metrics
  await using recording = startRecording()
  record()
  const types = recording.events('metrics').map((event) => event.typeName)
  const values = recording.events('metrics').map((event) => event.get('value'))
  return { types, values, rows: recording.measures(), invalid: dispatch.stats.metrics.invalid - invalid }
}

describe('a float metric', () => {
  test('keeps every finite value exactly', async () => {
    const finite = [0, -0, 1.5, -1.5, 1e-7, 5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** 53 + 2]
    const { rows, types } = await measuresOf(() => {
      for (const value of finite) fmetric('latency', 'ms').record(value)
    })
    expect(rows.map(({ value }) => value)).toEqual(finite)
    expect(rows[0]).toMatchObject({ name: 'latency', unit: 'ms', target: 'app', properties: {} })
    expect(new Set(types)).toEqual(new Set(['FloatMetricEvent']))
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '5', 5n, null, undefined, {}])(
    'leaves out and counts the value %s',
    async (value) => {
      const { rows, invalid } = await measuresOf(() => {
        fmetric('latency', 'ms').record(value as number)
        fmetric('latency', 'ms').record(value as number, { tagged: true })
      })
      expect([rows.length, invalid]).toEqual([0, 2])
    },
  )
})

describe('an integer metric', () => {
  test('keeps every whole number from 0 to 2^64 - 1 exactly, as number or bigint', async () => {
    const whole = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]
    const big = [0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]
    const { types, values } = await measuresOf(() => {
      for (const value of [...whole, ...big]) {
        imetric('orders', 'count').record(value)
        imetric('orders', 'count').record(value, { tagged: true })
      }
    })
    expect(values).toEqual([...whole, ...big].flatMap((value) => [BigInt(value), BigInt(value)]))
    expect(new Set(types)).toEqual(new Set(['IntegerMetricEvent', 'TaggedIntegerMetricEvent']))
  })

  test.each([-1, -0.5, 1.5, -(2 ** 31), 2 ** 53, 2 ** 70, -5n, 2n ** 64n, -(2n ** 100n)])(
    'sends %s, which unsigned integers cannot hold, as a float that arrives as it is',
    async (value) => {
      const { rows, types, invalid } = await measuresOf(() => {
        imetric('delta', 'count').record(value)
        imetric('delta', 'count').record(value, { tagged: true })
      })
      expect(rows.map((row) => row.value)).toEqual([Number(value), Number(value)])
      expect(types).toEqual(['FloatMetricEvent', 'TaggedFloatMetricEvent'])
      expect(invalid).toBe(0)
    },
  )

  test.each([
    ['NaN', Number.NaN],
    ['an infinity', Number.NEGATIVE_INFINITY],
    ['a bigint beyond all floats', 10n ** 400n],
    ['a text', '12'],
    ['a date', new Date()],
  ])('leaves out and counts %s', async (_, value) => {
    const { rows, invalid } = await measuresOf(() => imetric('orders', 'count').record(value as number))
    expect([rows.length, invalid]).toEqual([0, 1])
  })

  test('of unit ticks is a float, so that no server takes it for clock ticks', async () => {
    const { rows } = await measuresOf(() => {
      imetric('game_ticks', 'ticks').record(60)
      imetric('game_ticks', 'ticks').record(60n, { level: 1 })
      imetric('other', 'count').record(60, { unit: 'ticks' })
    })
    expect(rows.map(({ value, unit }) => [value, unit])).toEqual([
      [60, 'ticks'],
      [60, 'ticks'],
      [60, 'count'],
    ])
  })
})

describe('properties', () => {
  test('tag a value, as a set or as an object', async () => {
    const eu = propertySet({ region: 'eu' })
    const { rows } = await measuresOf(() => {
      fmetric('latency', 'ms').record(1, eu)
      imetric('orders', 'count').record(2, { region: 'us', n: 3 })
      fmetric('latency', 'ms').record(3, eu)
    })
    expect(rows.map(({ properties }) => properties)).toEqual([
      { region: 'eu' },
      { region: 'us', n: '3' },
      { region: 'eu' },
    ])
  })

  test('called like a column do not override it', async () => {
    const named = { name: 'n', unit: 'u', target: 't', _unit: 'taken', __unit: 'too', level: 'warn' }
    const { rows } = await measuresOf(() => {
      fmetric('latency', 'ms', { target: 'shop' }).record(1, named)
      imetric('orders', 'count', { target: 'shop' }).record(1, propertySet(named))
    })
    const properties = {
      _name: 'n',
      ___unit: 'u',
      _target: 't',
      _unit: 'taken',
      __unit: 'too',
      level: 'warn',
    }
    expect(rows).toMatchObject([
      { name: 'latency', unit: 'ms', target: 'shop', properties },
      { name: 'orders', unit: 'count', target: 'shop', properties },
    ])
  })

  test.each([null, 'text', 5, true, []])('that are no object (%j) tag with nothing', async (properties) => {
    const { rows } = await measuresOf(() => fmetric('m', 'x').record(1, properties as unknown as Properties))
    expect(rows.map((row) => row.properties)).toEqual([{}])
  })
})

describe('a metric', () => {
  test('is one object for a name, unit, target and kind', () => {
    expect(fmetric('same', 'ms')).toBe(fmetric('same', 'ms'))
    expect(fmetric('same', 'ms', { target: 'app' })).toBe(fmetric('same', 'ms'))
    for (const other of [fmetric('same', 's'), fmetric('same', 'ms', { target: 'b' }), imetric('same', 'ms')])
      expect(other).not.toBe(fmetric('same', 'ms'))
  })

  test('is not mixed up with one whose name, unit and target read the same together', async () => {
    const { rows } = await measuresOf(() => {
      fmetric('c', 'b', { target: 'a' }).record(1)
      fmetric('bc', '', { target: 'a' }).record(2)
      fmetric('c', '', { target: 'ab' }).record(3)
      fmetric('1:bc', '', { target: 'a' }).record(4)
    })
    expect(rows.map(({ target, unit, name }) => [target, unit, name])).toEqual([
      ['a', 'b', 'c'],
      ['a', '', 'bc'],
      ['ab', '', 'c'],
      ['a', '', '1:bc'],
    ])
  })

  test('has a name of at most 255 characters, which says how much is missing', async () => {
    const { rows } = await measuresOf(() => {
      fmetric('n'.repeat(255), 'u').record(1)
      fmetric('n'.repeat(256), 'u').record(1)
      fmetric('n'.repeat(256), 'u').record(1)
    })
    expect(rows[0]!.name).toBe('n'.repeat(255))
    expect(rows[1]!.name).toMatch(/^n+… \[\d+ more characters\]$/)
    expect(rows[1]!.name.length).toBeLessThanOrEqual(255)
    expect(rows[2]!.name).toBe(rows[1]!.name)
  })
})
