import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventPropertySet, isPropertySet, propertySet } from '../../../src/tracing/values/property-set.ts'

const entriesOf = (properties: object) => propertySet({ ...properties }).entries

describe('propertySet', () => {
  test('gives one object for one content, whatever objects it was given', () => {
    expect(propertySet({ a: '1', b: 2 })).toBe(propertySet({ a: 1, b: '2' }))
    expect(propertySet({ a: '1' })).not.toBe(propertySet({ a: '2' }))
    expect(propertySet(propertySet({ a: '1' }))).toBe(propertySet({ a: '1' }))
  })

  test('keeps contents apart that read the same when joined', () => {
    const sets = [{ a: 'b', c: '' }, { a: '', bc: '' }, { ab: '', c: '' }, { a: 'b1:c0:' }].map((p) =>
      propertySet(p),
    )
    expect(new Set(sets).size).toBe(4)
  })

  test('holds what it was given, for any names and texts', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
        (properties) => {
          expect(propertySet(properties).entries).toEqual(Object.entries(properties))
          expect(eventPropertySet(properties).toJSON()).toEqual(propertySet(properties).toJSON())
        },
      ),
    )
  })

  test('renders values that are no texts, and leaves out undefined and null', () => {
    const values = {
      number: 1.5,
      flag: false,
      big: 12n,
      date: new Date(0),
      list: [1, 'two', { three: 3 }],
      nested: { a: { b: 1 } },
      url: new URL('http://host/path'),
      none: undefined,
      nil: null,
      nan: Number.NaN,
      symbol: Symbol('s'),
    }
    expect(Object.fromEntries(entriesOf(values))).toEqual({
      number: '1.5',
      flag: 'false',
      big: '12',
      date: '1970-01-01T00:00:00.000Z',
      list: '[1,"two",{"three":3}]',
      nested: '{"a":{"b":1}}',
      url: 'http://host/path',
      nan: 'NaN',
      symbol: 'Symbol(s)',
    })
    expect(entriesOf({ error: new TypeError('boom') })[0]![1]).toContain('TypeError: boom\n    at ')
  })

  test('a throwing getter costs its own property', () => {
    const properties = {
      before: 1,
      get bad(): never {
        throw new Error('not yours')
      },
      after: 2,
    }
    const { before, bad, after } = Object.fromEntries(propertySet(properties).entries)
    expect([before, after]).toEqual(['1', '2'])
    expect(bad).toContain('not yours')
  })

  test('keeps names such as __proto__ as ordinary properties', () => {
    const set = propertySet(JSON.parse('{"__proto__":"x","constructor":"y"}'))
    expect(set.entries).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    expect(Object.entries(set.toJSON())).toEqual(set.entries)
  })

  test('cuts what is beyond its limits, and no surrogate pair', () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, 'v']))
    expect(entriesOf(many).length).toBe(128)
    const [[name, value]] = entriesOf({ [`${'n'.repeat(8191)}😀`]: `${'v'.repeat(8191)}😀` }) as [
      [string, string],
    ]
    expect([name, value]).toEqual(['n'.repeat(8191), 'v'.repeat(8191)])
    const large = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, 'v'.repeat(8000)]))
    expect(entriesOf(large).length).toBe(8)
    expect(entriesOf({ ['n'.repeat(100_000)]: 'cut', kept: 'kept' }).length).toBe(2)
  })
})

test('isPropertySet knows the sets of another copy of the package', () => {
  const foreign = Object.assign(Object.create(null), { [Symbol.for('micromegas.property-set')]: true })
  expect([propertySet({}), foreign, {}, null, 'set'].map(isPropertySet)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
})
