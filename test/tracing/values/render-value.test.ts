import { describe, expect, test } from 'vitest'
import { head, truncate } from '../../../src/tracing/values/bounded-text.ts'
import { renderValue } from '../../../src/tracing/values/render-value.ts'
import { HOSTILE_VALUES } from '../support/hostile-values.ts'

const render = (value: unknown, maxChars = 1000) => renderValue(value, maxChars)

describe('renderValue', () => {
  test.each<[string, unknown, string]>([
    ['a text', 'as it "is"', 'as it "is"'],
    ['numbers', -1.5, '-1.5'],
    ['a bigint', 10n ** 20n, '100000000000000000000'],
    ['a symbol', Symbol('tag'), 'Symbol(tag)'],
    ['a function', function named() {}, '[function named]'],
    ['undefined', undefined, 'undefined'],
    [
      'an object',
      { a: 1, b: 'two', c: [true, null, undefined] },
      '{"a":1,"b":"two","c":[true,null,undefined]}',
    ],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an invalid date', new Date(Number.NaN), 'Invalid Date'],
    ['a map', new Map([['a', 1]]), 'Map[["a",1]]'],
    ['a set', new Set(['a', 2]), 'Set["a",2]'],
    ['bytes', Buffer.from('abc'), '[Buffer of 3 bytes]'],
    ['a regular expression', /a+/g, '/a+/g'],
    ['a URL', new URL('http://host/'), 'http://host/'],
    [
      'an instance',
      new (class Cart {
        items = 1
      })(),
      '{"items":1}',
    ],
    [
      'an instance with a text of its own',
      new (class Money {
        toString() {
          return '5 EUR'
        }
      })(),
      '5 EUR',
    ],
    ['nested errors', { error: new TypeError('boom') }, '{"error":TypeError: boom}'],
    ['depth', [[[[[1]]]]], '[[[[[…]]]]]'],
    ['many items', Array.from({ length: 70 }, () => 0), `[${'0,'.repeat(63)}0, … 6 more]`],
    ['no prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
  ])('shows %s', (_, value, expected) => {
    expect(render(value)).toBe(expected)
  })

  test('shows a cycle once', () => {
    const cycle: Record<string, unknown> = { name: 'c' }
    cycle.self = cycle
    const twice = { a: 1 }
    expect(render(cycle)).toBe('{"name":"c","self":[circular]}')
    expect(render([twice, twice])).toBe('[{"a":1},{"a":1}]')
  })

  test('shows an error with its stack and its causes', () => {
    const error = new Error('outer', { cause: new TypeError('middle', { cause: { code: 7 } }) })
    const text = render(error, 10_000)
    expect(text.startsWith(`${error.stack}\ncaused by: TypeError: middle\n    at `)).toBe(true)
    expect(text.endsWith('\ncaused by: {"code":7}')).toBe(true)
  })

  test('shows a message that was changed after the stack was made', () => {
    const error = new Error('before')
    expect(error.stack).toContain('before') // source maps put off making the stack until it is read
    error.message = 'after'
    expect(render(error, 10_000).startsWith('Error: after\nError: before\n')).toBe(true)
  })

  test('says what cannot be read, and goes on', () => {
    const value = {
      before: 1,
      get bad(): never {
        throw new Error('not yours')
      },
      after: 2,
    }
    expect(render(value)).toBe('{"before":1,"bad":[unreadable],"after":2}')
    const text = {
      toString() {
        throw new Error('no text')
      },
    }
    expect(render([1, text, 2])).toBe('[1,[unreadable: no text],2]')
  })

  test.each(Object.entries(HOSTILE_VALUES))('keeps %s within any limit', (_, make) => {
    for (const maxChars of [100, 1000, 100_000]) {
      expect(renderValue(make(), maxChars).length).toBeLessThanOrEqual(maxChars)
      expect(renderValue([make()], maxChars).length).toBeLessThanOrEqual(maxChars)
    }
  })
})

describe('truncate', () => {
  test('leaves alone what fits, also what it has cut before', () => {
    const cut = truncate('x'.repeat(10_000), 200)
    expect(cut).toBe(`${'x'.repeat(164)}… [9836 more characters]`)
    expect(truncate(cut, 200)).toBe(cut)
    expect(truncate('x'.repeat(200), 200)).toBe('x'.repeat(200))
  })
})

test('head cuts before a surrogate pair, not within it', () => {
  expect(head('ab😀c', 3)).toBe('ab')
  expect(head('ab😀c', 4)).toBe('ab😀')
  expect(head('ab', 3)).toBe('ab')
})
