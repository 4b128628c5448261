import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import {
  isError,
  isObjectPrototype,
  isPlainObject,
  isPromiseLike,
  isSyntaxError,
} from '../../src/model/kinds.ts'
import { HOSTILE_VALUES } from '../tracing/support/hostile-values.ts'

const foreign = (code: string): unknown => runInNewContext(code)

const LEGACY_CLASS = `function Legacy() {}
  Legacy.prototype = Object.create(Error.prototype)
  Legacy.prototype.constructor = Legacy`

describe('isError', () => {
  test.each<[string, unknown]>([
    ['an error', new Error('x')],
    ['one of a subclass', new (class Refused extends TypeError {})('x')],
    ['a DOMException', new DOMException('x', 'AbortError')],
    ['the reason of a timeout', AbortSignal.abort().reason],
    ['one made by Object.create', Object.create(RangeError.prototype)],
    ['a copy', structuredClone(new Error('x'))],
    ['one of another realm', foreign('new Error("x")')],
    ['a subclass of another realm', foreign('new (class Refused extends TypeError {})("x")')],
    ['an aggregate of another realm', foreign('new AggregateError([])')],
    ['a legacy class of another realm', foreign(`${LEGACY_CLASS}; new Legacy()`)],
    ['one that was thrown there', foreign('try { null.x } catch (error) { error }')],
    ['a frozen one', Object.freeze(new Error('x'))],
    ['one without a prototype', Object.setPrototypeOf(new Error('x'), null)],
    ['a proxy of one', new Proxy(new Error('x'), {})],
  ])('is true for %s', (_, value) => expect(isError(value)).toBe(true))

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'Error: x'],
    ['an object that looks like one', { name: 'Error', message: 'x', stack: 'Error: x\n    at y' }],
    ['such an object of another realm', foreign('({ name: "Error", message: "x", stack: "" })')],
    ['a class that is called Error', foreign('new (class Error {})()')],
    ['a constructor', Error],
    ['an Object.prototype of another realm', foreign('Object.prototype')],
    [
      'a proxy without an end of prototypes',
      new Proxy(
        {},
        {
          getPrototypeOf: (target) => new Proxy(target, {}),
        },
      ),
    ],
  ])('is false for %s', (_, value) => expect(isError(value)).toBe(false))
})

describe('isPlainObject', () => {
  test.each<[string, unknown]>([
    ['a literal', { a: 1 }],
    ['one without a prototype', Object.create(null)],
    ['one of another realm', foreign('({ a: 1 })')],
    ['one without a prototype of another realm', foreign('Object.create(null)')],
    ['parsed JSON of another realm', foreign('JSON.parse("{}")')],
  ])('is true for %s', (_, value) => expect(isPlainObject(value)).toBe(true))

  test.each<[string, unknown]>([
    ['null', null],
    ['an array', []],
    ['an array of another realm', foreign('[]')],
    ['an instance', new (class Cart {})()],
    ['an instance of another realm', foreign('new (class Cart {})()')],
    ['a map of another realm', foreign('new Map()')],
    ['a date of another realm', foreign('new Date()')],
    ['an error of another realm', foreign('new Error()')],
    ['an object that inherits from another', Object.create({ a: 1 })],
    ['a function', () => {}],
  ])('is false for %s', (_, value) => expect(isPlainObject(value)).toBe(false))
})

describe('isPromiseLike', () => {
  test('is true for what can be awaited, of any realm', () => {
    const values = [
      Promise.resolve(),
      foreign('Promise.resolve()'),
      foreign('({ then() {} })'),
      foreign('Object.assign(() => {}, { then() {} })'),
    ]
    expect(values.map(isPromiseLike)).toEqual([true, true, true, true])
    expect([{}, null, undefined, 'then', foreign('({ then: 1 })')].map(isPromiseLike)).toEqual(
      Array(5).fill(false),
    )
  })
})

test('isSyntaxError is true for what JSON.parse throws, of any realm', () => {
  const thrown = foreign('try { JSON.parse("secret") } catch (error) { error }')
  expect([isSyntaxError(thrown), isSyntaxError(new SyntaxError('x'))]).toEqual([true, true])
  expect([isSyntaxError(new Error('x')), isSyntaxError({ name: 'SyntaxError' })]).toEqual([false, false])
})

test.each(Object.entries(HOSTILE_VALUES))('none of them throws for %s', (_, make) => {
  for (const is of [isError, isPlainObject, isPromiseLike]) expect(typeof is(make())).toBe('boolean')
})

test('isObjectPrototype knows those of other realms', () => {
  expect(isObjectPrototype(foreign('Object.prototype'))).toBe(true)
  expect(isObjectPrototype(foreign('Object.create(null)'))).toBe(false)
})
