import { describe, expect, test } from 'vitest'
import { TemplateRenderer } from '../../../src/telemetry/decode/template-renderer.ts'
import type { PropertyList } from '../../../src/transit/value.ts'
import { expectFormatError } from '../../transit/format-errors.ts'

const PROPERTIES: PropertyList = [
  ['user', 'ada'],
  ['rows', '3'],
  ['', 'nothing'],
  ['a{b', 'odd'],
  ['user:', 'with a colon'],
  ['pattern', '$& {user} {{'],
  ['__proto__', 'plain'],
  ['user', 'a later one'],
]

function render(template: string): string {
  return new TemplateRenderer().render(template, PROPERTIES)
}

test.each([
  // as `render_msg_template` of micromegas-analytics 0.33.0 renders them
  ['', ''],
  ['no placeholder', 'no placeholder'],
  ['{user} fetched {rows} rows', 'ada fetched 3 rows'],
  ['{user:}{rows:?}', 'ada3'],
  ['{user::?} {user::}', 'with a colon with a colon'],
  ['{}', 'nothing'],
  ['{:?}', 'nothing'],
  ['{{user}}', '{user}'],
  ['{{{user}}}', '{ada}'],
  ['{missing} {missing:?}', '{missing} {missing:?}'],
  ['{user:>8} {rows:03}', '{user:>8} {rows:03}'],
  ['{ user }', '{ user }'],
  ['{User}', '{User}'],
  ['{a{b}', 'odd'],
  ['{a\n}', '{a\n}'],
  ['{user', '{user'],
  ['{user}}', 'ada}'],
  ['user}', 'user}'],
  ['}{', '}{'],
  ['{user} {{ and {', 'ada { and {'],
  ['} {{{ }} {{', '} {{ }} {'],
  ['{pattern}', '$& {user} {{'],
  ['{__proto__}{constructor}', 'plain{constructor}'],
  ['é {user} 🦀', 'é ada 🦀'],
])('%j becomes %j', (template, message) => {
  expect(render(template)).toBe(message)
})

describe('the text of a block is bounded', () => {
  const long: PropertyList = [['k', 'v'.repeat(1024 * 1024)]]

  test('when one value is asked for again and again', () => {
    expect(new TemplateRenderer().render('{k}'.repeat(63), long)).toHaveLength(63 * 1024 * 1024)
    expectFormatError(
      () => new TemplateRenderer().render('{k}'.repeat(64), long),
      /the templates of the block render to too much text/,
    )
  })

  test('over all its messages', () => {
    const renderer = new TemplateRenderer()
    for (let i = 0; i < 64; i++) renderer.render('{k}', long)
    expectFormatError(() => renderer.render('{k}', long))
  })

  test('but not for messages of common length, however many', () => {
    const renderer = new TemplateRenderer()
    const text: PropertyList = [['k', 'v'.repeat(1000)]]
    for (let i = 0; i < 200_000; i++) renderer.render('{k}', text)
  })
})

test('braces that never close take no time to look for', () => {
  const template = '{a'.repeat(1_000_000)
  expect(render(template)).toBe(template)
})
