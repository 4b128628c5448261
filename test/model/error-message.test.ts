import { connect } from 'node:net'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { errorMessage } from '../../src/model/text/error-message.ts'
import { HOSTILE_VALUES } from '../tracing/support/hostile-values.ts'

describe('errorMessage', () => {
  test.each<[string, unknown, string]>([
    ['an error', new Error('refused'), 'refused'],
    ['an error without a message', new RangeError(), 'RangeError'],
    ['an error of another realm', runInNewContext('new TypeError("refused")'), 'refused'],
    ['a text', 'refused', 'refused'],
    ['nothing', undefined, 'undefined'],
    ['an aggregate', new AggregateError([new Error('a'), new Error('b')]), 'a; b'],
    ['one with a message', new AggregateError([new Error('a'), 'b'], 'all failed'), 'all failed: a; b'],
    ['one whose errors say the same', new AggregateError([new Error('a'), new Error('a')]), 'a'],
    ['one without errors', new AggregateError([]), 'AggregateError'],
    ['one of another realm', runInNewContext('new AggregateError([new Error("a"), "b"])'), 'a; b'],
    [
      'one of many',
      new AggregateError(Array.from({ length: 9 }, (_, i) => new Error(`e${i}`))),
      'e0; e1; e2; e3; 5 more errors',
    ],
    [
      'aggregates of aggregates',
      new AggregateError([new AggregateError([new AggregateError([new Error('deep')], 'low')], 'mid')]),
      'mid: low',
    ],
  ])('of %s says what happened', (_, error, expected) => {
    expect(errorMessage(error)).toBe(expected)
  })

  test('of an aggregate that is its own error ends', () => {
    const error = new AggregateError([], 'again')
    error.errors.push(error)
    expect(errorMessage(error)).toBe('again: again: again')
  })

  test('of a refused host with two addresses names both', async () => {
    const lookup = (_: string, __: unknown, callback: (error: null, addresses: object[]) => void) =>
      callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ])
    const error = await new Promise((resolve) =>
      connect({ host: 'two.test', port: 1, lookup: lookup as never, autoSelectFamily: true }).on(
        'error',
        resolve,
      ),
    )
    expect(errorMessage(error)).toBe('connect ECONNREFUSED 127.0.0.1:1; connect ECONNREFUSED 127.0.0.2:1')
  })

  test.each(Object.entries(HOSTILE_VALUES))('never throws, as for %s', (_, make) => {
    expect(typeof errorMessage(make())).toBe('string')
  })
})
