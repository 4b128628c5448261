import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Level } from '../../src/model/level.ts'
import { TargetLevels, targetProblem } from '../../src/tracing/target-levels.ts'

const { Off, Fatal, Error: Errors, Warn, Info, Debug, Trace } = Level

describe('the level of a target', () => {
  const LEVELS = {
    '*': Errors,
    shop: Info,
    'shop.*': Debug,
    'shop.cart': Warn,
    'shop.cart.*': Trace,
    'shop.c*': Fatal,
    noisy: Off,
    '@scope': Debug,
    same: Info,
    'same*': Warn,
  }

  test.each<[string, Level]>([
    ['shop', Info],
    ['shop.', Debug],
    ['shop.list', Debug],
    ['shop::list', Info],
    ['shop/list', Info],
    ['shop.cart', Warn],
    ['shop.cart.items', Trace],
    ['shop.cart::items', Warn],
    ['shop.carts', Fatal],
    ['shop.checkout', Fatal],
    ['shopping', Errors],
    ['noisy', Off],
    ['noisy.neighbour', Off],
    ['noisyneighbour', Errors],
    ['@scope/package', Debug],
    ['same', Info],
    ['same.below', Info],
    ['sameness', Warn],
    ['other', Errors],
    ['', Errors],
    ['SHOP', Errors],
  ])('%s is that of the longest one that stands for it', (target, level) => {
    expect(new TargetLevels(LEVELS).levelOf(target)).toBe(level)
  })

  test('is none where nothing stands for it', () => {
    expect(new TargetLevels({}).levelOf('shop')).toBeUndefined()
    expect(new TargetLevels({ shop: Info, 'db.*': Info }).levelOf('db')).toBeUndefined()
  })

  test('does not depend on the order they are given in', () => {
    const given = Object.entries(LEVELS)
    const targets = ['shop', 'shop.list', 'shop.cart.items', 'same', 'sameness', 'x']
    const expected = targets.map((target) => new TargetLevels(LEVELS).levelOf(target))
    fc.assert(
      fc.property(fc.shuffledSubarray(given, { minLength: given.length }), (shuffled) => {
        const levels = new TargetLevels(Object.fromEntries(shuffled))
        expect(targets.map((target) => levels.levelOf(target))).toEqual(expected)
      }),
    )
  })
})

test.each<[string, string]>([
  ['', 'a target is empty'],
  ['  ', 'a target is empty'],
  [' db', "target ' db' has blanks around it"],
  ['*.db', "target '*.db': expected a text, or its beginning with a '*' at the end"],
  ['shop.*.db', "target 'shop.*.db': expected a text, or its beginning with a '*' at the end"],
  ['shop.**', "target 'shop.**': expected a text, or its beginning with a '*' at the end"],
  ['shop.', "target 'shop.' ends with '.': expected 'shop' or 'shop.*'"],
  ['shop::', "target 'shop::' ends with ':': expected 'shop' or 'shop::*'"],
])('a target %j that would stand for nothing is a problem', (target, problem) => {
  expect(targetProblem(target)).toBe(problem)
})

test.each(['shop', 'shop.*', 'shop*', '*', '@scope/package', 'a b', 'shop.cart'])('%s is none', (target) => {
  expect(targetProblem(target)).toBeUndefined()
})
