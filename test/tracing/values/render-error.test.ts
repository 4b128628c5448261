import { describe, expect, test } from 'vitest'
import { renderErrors, renderSerializedError } from '../../../src/tracing/values/render-error.ts'
import { renderValue } from '../../../src/tracing/values/render-value.ts'
import { HOSTILE_VALUES } from '../support/hostile-values.ts'

/** The text without the places, and without the colon that some versions put before a message that is empty. */
function lines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !/^ *at /.test(line))
    .map((line) => line.replace(/: $/, ''))
}

const render = (value: unknown, maxChars = 100_000) => lines(renderValue(value, maxChars))

class SuppressedError extends Error {
  override readonly name = 'SuppressedError'
  readonly error: unknown
  readonly suppressed: unknown

  constructor(error: unknown, suppressed: unknown) {
    super('An error was suppressed during disposal.')
    this.error = error
    this.suppressed = suppressed
  }
}

describe('an error that stands for others', () => {
  test('shows each with its stack, its causes and its errors, and then its own causes', () => {
    const refused = new Error('connect ECONNREFUSED ::1:5432', { cause: new Error('no route') })
    const inner = new AggregateError([new TypeError('a'), new RangeError('b')], 'inner')
    const error = new AggregateError([refused, inner, 'a text', { code: 7 }, null], 'all failed', {
      cause: new Error('down'),
    })
    const text = renderValue(error, 100_000)
    expect(lines(text)).toEqual([
      'AggregateError: all failed',
      '  error 1 of 5: Error: connect ECONNREFUSED ::1:5432',
      '  caused by: Error: no route',
      '  error 2 of 5: AggregateError: inner',
      '    error 1 of 2: TypeError: a',
      '    error 2 of 2: RangeError: b',
      '  error 3 of 5: "a text"',
      '  error 4 of 5: {"code":7}',
      '  error 5 of 5: null',
      'caused by: Error: down',
    ])
    expect(text.startsWith(`${error.stack}\n  error 1 of 5: `)).toBe(true)
    expect(text).toContain(`error 1 of 5: ${refused.stack?.replaceAll('\n', '\n  ')}\n`)
    expect(text).toContain(`error 1 of 2: ${inner.errors[0].stack.replaceAll('\n', '\n    ')}\n`)
  })

  test('as a cause shows each too', () => {
    const cause = new AggregateError([new Error('a'), new Error('b')])
    expect(render(new TypeError('fetch failed', { cause }))).toEqual([
      'TypeError: fetch failed',
      'caused by: AggregateError',
      '  error 1 of 2: Error: a',
      '  error 2 of 2: Error: b',
    ])
  })

  test('is shown with eight of them, and how many there are besides', () => {
    const many = Array.from({ length: 1000 }, (_, i) => new Error(`e${i}`))
    const shown = render(new AggregateError(many, 'many'))
    expect(shown.slice(0, 2)).toEqual(['AggregateError: many', '  error 1 of 1000: Error: e0'])
    expect(shown.slice(-2)).toEqual(['  error 8 of 1000: Error: e7', '  … 992 more errors'])
    expect(shown.length).toBe(10)
  })

  test('is shown with 32 in all, however they are nested, and no deeper than four', () => {
    const nested = (depth: number): Error =>
      depth === 0
        ? new Error('leaf')
        : new AggregateError(
            Array.from({ length: 8 }, () => nested(depth - 1)),
            `at ${depth}`,
          )
    const shown = render(nested(4))
    expect(shown.filter((line) => /error \d of 8/.test(line)).length).toBe(32)
    expect(shown.at(-1)).toBe('  … 7 more errors')
    let deep: Error = new Error('deepest')
    for (let i = 0; i < 6; i++) deep = new AggregateError([deep], `level ${6 - i}`)
    expect(render(deep).map((line) => line.trim())).toEqual([
      'AggregateError: level 1',
      'error 1 of 1: AggregateError: level 2',
      'error 1 of 1: AggregateError: level 3',
      'error 1 of 1: AggregateError: level 4',
      'error 1 of 1: …',
    ])
  })

  test('is shown once where it is one of its own errors or causes', () => {
    const error = new AggregateError([], 'again')
    error.errors.push(error, new Error('other', { cause: error }))
    expect(render(error)).toEqual([
      'AggregateError: again',
      '  error 1 of 2: [circular]',
      '  error 2 of 2: Error: other',
      '  caused by: [circular]',
    ])
  })

  test('may be of a library, where its errors are errors', () => {
    expect(render(Object.assign(new Error('multiple'), { errors: [new Error('a')] }))).toEqual([
      'Error: multiple',
      '  error 1 of 1: Error: a',
    ])
    for (const errors of [[{ path: 'name' }], ['a text'], { name: new Error('a') }, [], 'text', 5]) {
      expect(render(Object.assign(new Error('form'), { errors }))).toEqual(['Error: form'])
    }
  })

  test('may be what a failed disposal has suppressed', () => {
    expect(render(new SuppressedError(new Error('at the end'), new Error('before')))).toEqual([
      'SuppressedError: An error was suppressed during disposal.',
      '  error: Error: at the end',
      '  suppressed: Error: before',
    ])
  })

  test('within an object is shown by the first lines of its errors', () => {
    const error = new AggregateError([new Error('a'), 'b', ...Array(9).fill(new Error('c'))], 'all failed')
    const c = Array(6).fill('Error: c').join('; ')
    expect(renderValue({ error }, 1000)).toBe(
      `{"error":AggregateError: all failed [Error: a; b; ${c}; … 3 more]}`,
    )
  })

  test('is cut at the limit of the text', () => {
    const error = new AggregateError(
      Array.from({ length: 8 }, () => new Error('x'.repeat(1000))),
      'long',
    )
    for (const maxChars of [10, 100, 1000, 5000]) {
      const text = renderValue(error, maxChars)
      expect(text.length).toBe(maxChars)
      expect(text.endsWith('…')).toBe(true)
    }
  })

  test.each(Object.entries(HOSTILE_VALUES))('may stand for %s', (_, make) => {
    const error = new AggregateError([make(), new Error('after', { cause: make() })], 'hostile', {
      cause: make(),
    })
    Object.defineProperty(error, 'extra', { get: make })
    const text = renderValue(error, 600_000)
    expect(text).toContain('error 2 of 2: Error: after')
    expect(text.length).toBeLessThanOrEqual(600_000)
    const odd = Object.defineProperty(new Error('odd'), 'errors', { get: make })
    expect(renderValue([odd], 1000).length).toBeLessThanOrEqual(1000)
    expect(renderErrors(make(), 1000).length).toBeLessThanOrEqual(1000)
    expect(renderErrors([make(), { stack: make(), message: 'm' }], 1000).length).toBeLessThanOrEqual(1000)
    const serialized = {
      message: make(),
      stack: make(),
      cause: make(),
      errors: [make(), { stack: make(), message: 'm' }],
    }
    expect(renderSerializedError(serialized, 1000).length).toBeLessThanOrEqual(1000)
  })
})

describe('the class of an error', () => {
  class OrderError extends Error {}
  class PortError extends RangeError {}
  class NamedError extends Error {
    override readonly name = 'ShopError'
  }
  class e extends Error {}

  test.each([
    ['OrderError: refused', new OrderError('refused')],
    ['PortError [RangeError]: far', new PortError('far')],
    ['ShopError: closed', new NamedError('closed')],
    ['Error: minified', new e('minified')],
    ['Error: OrderError: twice', new OrderError('OrderError: twice')],
    ['OrderError', new OrderError('')],
    [
      'Other [TypeError]: x',
      Object.assign(new TypeError('x'), { name: 'Other', stack: 'TypeError: x\n    at y' }),
    ],
    ['Error: odd', Object.assign(new Error('odd'), { constructor: undefined })],
    ['Symbol(s): odd', Object.assign(new Error('odd'), { name: Symbol('s') })],
  ])('is shown as Node shows it: %s', (head, error) => {
    expect(render(error)[0]).toBe(head)
  })

  test('is shown for causes and for errors within, too', () => {
    const cause = new OrderError('cause')
    expect(render(new AggregateError([new OrderError('within')], 'all', { cause }))).toEqual([
      'AggregateError: all',
      '  error 1 of 1: OrderError: within',
      'caused by: OrderError: cause',
    ])
    expect(renderValue({ error: cause }, 1000)).toBe('{"error":OrderError: cause}')
  })
})

describe('what a serializer has made of an error', () => {
  test('reads as the error does', () => {
    const aggregateErrors = [
      { type: 'TypeError', message: 'a: because', stack: 'TypeError: a\n    at x\ncaused by: because' },
      { type: 'PaymentError', message: 'no stack' },
      { message: 'no type' },
      {
        type: 'AggregateError',
        message: '',
        stack: 'AggregateError\n    at y',
        aggregateErrors: [{ type: 'Error', message: 'inner', stack: 'Error: inner\n    at z' }],
      },
      new Error('real'),
      'a text',
      { code: 7 },
    ]
    const cause = { type: 'RangeError', message: 'far', stack: 'RangeError: far\n    at w' }
    const serialized = {
      type: 'AggregateError',
      message: 'all',
      stack: 'AggregateError: all',
      aggregateErrors,
      cause,
    }
    expect(lines(renderSerializedError(serialized, 10_000))).toEqual([
      'AggregateError: all',
      '  error 1 of 7: TypeError: a',
      '  caused by: because',
      '  error 2 of 7: PaymentError: no stack',
      '  error 3 of 7: Error: no type',
      '  error 4 of 7: AggregateError',
      '    error 1 of 1: Error: inner',
      '  error 5 of 7: Error: real',
      '  error 6 of 7: "a text"',
      '  error 7 of 7: {"code":7}',
      'caused by: RangeError: far',
    ])
    expect(renderSerializedError(serialized, 50).length).toBe(50)
  })

  test('shows a message that was changed after the stack was made, unless it is extended by those of the causes', () => {
    const stack = 'Error: before\n    at x'
    expect(renderSerializedError({ type: 'OrderError', message: 'after', stack }, 1000)).toBe(
      `OrderError: after\n${stack}`,
    )
    expect(renderSerializedError({ message: 'before: the cause', stack }, 1000)).toBe(stack)
    expect(renderSerializedError({ message: ': the cause', stack: 'Error\n    at x' }, 1000)).toBe(
      'Error\n    at x',
    )
  })
})

describe('renderErrors', () => {
  test('renders errors, and what serializers have made of them, to follow a stack', () => {
    const serialized = [
      { type: 'TypeError', message: 'a: because', stack: 'TypeError: a\n    at x\ncaused by: because' },
      { type: 'PaymentError', message: 'no stack' },
      { message: 'no type' },
      {
        type: 'AggregateError',
        message: '',
        stack: 'AggregateError\n    at y',
        aggregateErrors: [{ type: 'Error', message: 'inner', stack: 'Error: inner\n    at z' }],
      },
      new Error('real'),
      'a text',
    ]
    expect(lines(renderErrors(serialized, 10_000))).toEqual([
      '',
      '  error 1 of 6: TypeError: a',
      '  caused by: because',
      '  error 2 of 6: PaymentError: no stack',
      '  error 3 of 6: Error: no type',
      '  error 4 of 6: AggregateError',
      '    error 1 of 1: Error: inner',
      '  error 5 of 6: Error: real',
      '  error 6 of 6: a text',
    ])
    expect(renderErrors(serialized, 50).length).toBe(50)
  })

  test('gives nothing for what is not a list of errors', () => {
    for (const value of [undefined, null, [], 'text', {}, [1, 'a'], [{ path: 'name' }]]) {
      expect(renderErrors(value, 1000)).toBe('')
    }
  })
})
