import { describe, expect, test } from 'vitest'
import { type DecodedMeasure, readMeasures } from '../../../src/telemetry/decode/measures.ts'
import { fixedType } from '../../../src/transit/reflection.ts'
import { expectFormatError } from '../../transit/format-errors.ts'
import { type Section, section } from '../../transit/section.ts'
import { objectsOf, TICKS } from '../sample-blocks.ts'
import { METRICS_TYPES } from '../worked-examples.ts'

/** A descriptor 10 (name, unit, target as given) and a property set 20. */
function dependencies(unit = 'ms', ...properties: readonly (readonly [string, string])[]): Section {
  const out = section()
  const add = (id: number, text: string) => out.dynamic(1, section().u64(id).text(text))
  for (const [id, text] of ['latency', unit, 'app', 'main.ts'].entries()) add(id + 1, text)
  out.u8(2).u64(10, 1, 2, 3, 4).u32(42).u32(3)
  const set = section().u64(20).u32(properties.length)
  for (const [index, [key, value]] of properties.entries()) {
    add(100 + 2 * index, key)
    add(101 + 2 * index, value)
    set.u64(100 + 2 * index, 101 + 2 * index)
  }
  return out.dynamic(3, set)
}

function read(objects: Section, deps = dependencies()): DecodedMeasure[] {
  return [...readMeasures(objectsOf(METRICS_TYPES, deps, objects), TICKS)]
}

const integer = (value: number | bigint) => section().u8(0).u64(10, value, 7)
const float = (value: number) => section().u8(1).u64(10).f64(value).u64(7)
const taggedFloat = (value: number) => section().u8(2).u64(10, 20).f64(value).u64(7)
const taggedInteger = (value: number | bigint) => section().u8(3).u64(10, 20, value, 7)

const MEASURE = { timeNs: 7n, name: 'latency', unit: 'ms', target: 'app', properties: {} }

describe('every metric event type', () => {
  test('IntegerMetricEvent', () => {
    expect(read(integer(5))).toEqual([{ ...MEASURE, value: 5 }])
  })
  test('FloatMetricEvent', () => {
    expect(read(float(-0.5))).toEqual([{ ...MEASURE, value: -0.5 }])
  })
  test('TaggedFloatMetricEvent', () => {
    expect(read(taggedFloat(1.5), dependencies('ms', ['k', 'v']))).toEqual([
      { ...MEASURE, value: 1.5, properties: { k: 'v' } },
    ])
  })
  test('TaggedIntegerMetricEvent', () => {
    expect(read(taggedInteger(5), dependencies('ms', ['k', 'v']))).toEqual([
      { ...MEASURE, value: 5, properties: { k: 'v' } },
    ])
  })
})

test('floats keep NaN and infinities', () => {
  expect(
    read(section().raw(float(Number.NaN).done()).raw(float(Number.NEGATIVE_INFINITY).done())).map(
      (m) => m.value,
    ),
  ).toEqual([Number.NaN, Number.NEGATIVE_INFINITY])
})

test('integers are unsigned: a negative one wraps', () => {
  expect(read(integer(-1))[0]!.value).toBe(2 ** 64)
})

test('an integer value may be stored as i64, a float value as f64 only', () => {
  const of = (value: 'i64' | 'u32' | 'f64', name: string, size: 8 | 4) =>
    [
      ...readMeasures(
        objectsOf(
          { ...METRICS_TYPES, objectsMetadata: [fixedType(name, { desc: 'ref', time: 'i64', value })] },
          dependencies(),
          size === 8 ? section().u8(0).u64(10, 7, 5) : section().u8(0).u64(10, 7).u32(5),
        ),
        TICKS,
      ),
    ][0]!.value
  expect(of('i64', 'IntegerMetricEvent', 8)).toBe(5)
  expectFormatError(
    () => of('u32', 'IntegerMetricEvent', 4),
    /member value of IntegerMetricEvent as u64: it is u32/,
  )
  expectFormatError(
    () => of('i64', 'FloatMetricEvent', 8),
    /member value of FloatMetricEvent as f64: it is i64/,
  )
  expectFormatError(() => of('u32', 'FloatMetricEvent', 4), /as f64: it is u32/)
})

describe('the unit ticks', () => {
  test('of integers becomes seconds', () => {
    expect(read(integer(1_500_000_000), dependencies('ticks'))[0]).toMatchObject({
      unit: 'seconds',
      value: 1.5,
    })
    expect(read(taggedInteger(500_000_000), dependencies('ticks'))[0]).toMatchObject({
      unit: 'seconds',
      value: 0.5,
    })
  })
  test('of floats, and in any other spelling, stays', () => {
    expect(read(float(5), dependencies('ticks'))[0]).toMatchObject({ unit: 'ticks', value: 5 })
    expect(read(taggedFloat(5), dependencies('ticks'))[0]).toMatchObject({ unit: 'ticks', value: 5 })
    expect(read(integer(5), dependencies('Ticks'))[0]).toMatchObject({ unit: 'Ticks', value: 5 })
  })
  test('counts after the properties have replaced the unit', () => {
    expect(read(taggedInteger(1e9), dependencies('ms', ['unit', 'ticks']))[0]).toMatchObject({
      unit: 'seconds',
      value: 1,
    })
    expect(read(taggedInteger(5), dependencies('ticks', ['unit', 'ms']))[0]).toMatchObject({
      unit: 'ms',
      value: 5,
    })
  })
})

test('properties named name, unit and target replace the descriptor and stay properties', () => {
  const properties = { name: 'n', unit: 'u', target: 't', Name: 'kept apart' }
  const deps = dependencies('ms', ...Object.entries(properties))
  for (const objects of [taggedFloat(1), taggedInteger(1)]) {
    expect(read(objects, deps)[0]).toMatchObject({ name: 'n', unit: 'u', target: 't', properties })
  }
})

test.each([
  ['a descriptor that is a string', section().u8(0).u64(1, 5, 7)],
  ['a descriptor that is a property set', section().u8(0).u64(20, 5, 7)],
  ['properties that are a record', section().u8(3).u64(10, 10, 5, 7)],
])('%s makes the block unreadable', (_name, objects) => {
  expectFormatError(() => read(objects))
})

test('events of other types are passed over and reported', () => {
  const types = {
    ...METRICS_TYPES,
    objectsMetadata: [fixedType('Histogram', { v: 'u8' }), ...METRICS_TYPES.objectsMetadata],
  }
  const unknown: string[] = []
  const objects = section().u8(0, 1).u8(1).u64(10, 5, 7)
  const measures = readMeasures(objectsOf(types, dependencies(), objects), TICKS, {
    onUnknown: (name) => unknown.push(name),
  })
  expect([...measures]).toHaveLength(1)
  expect(unknown).toEqual(['Histogram'])
})
