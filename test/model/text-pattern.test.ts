import { describe, expect, test } from 'vitest'
import { parseTextPattern, textMatcher } from '../../src/model/text/text-pattern.ts'

describe('a text pattern', () => {
  test('means a text whole, or by its beginning', () => {
    expect(parseTextPattern('shop')).toEqual({ text: 'shop', isPrefix: false })
    expect(parseTextPattern('shop.*')).toEqual({ text: 'shop.', isPrefix: true })
    expect(parseTextPattern('*')).toEqual({ text: '', isPrefix: true })
    expect(parseTextPattern('')).toEqual({ text: '', isPrefix: false })
  })

  test.each(['*.db', 'shop.*.db', 'shop.**', '**', '* '])('%s is none', (text) => {
    expect(parseTextPattern(text)).toBeUndefined()
  })

  test('finds the texts it means', () => {
    const texts = ['', 'shop', 'shop.', 'shop.cart', 'shopping', 'GET /*']
    const found = (pattern: string | undefined) => texts.filter(textMatcher(pattern))
    expect(found(undefined)).toEqual(texts)
    expect(found('*')).toEqual(texts)
    expect(found('shop')).toEqual(['shop'])
    expect(found('shop*')).toEqual(['shop', 'shop.', 'shop.cart', 'shopping'])
    expect(found('shop.*')).toEqual(['shop.', 'shop.cart'])
    expect(found('GET /*')).toEqual(['GET /*'])
    expect(found('shop.*.x')).toEqual([])
  })
})
