import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { optionProblems } from '../../src/config/option-problems.ts'

const schema = z.strictObject({
  port: z.optional(z.int({ error: 'expected a port' })),
  list: z.optional(z.array(z.strictObject({ name: z.string() }))),
  keys: z.optional(
    z.array(z.strictObject({ key: z.string() }, { error: 'expected an object with a key, and no other' })),
  ),
  amount: z.optional(z.number().check(z.positive())),
})

function problems(value: unknown, ...names: readonly string[]): string[] {
  const parsed = schema.safeParse(value)
  if (parsed.success) throw new Error('nothing is wrong with it')
  return optionProblems(parsed.error, ...names)
}

test('each problem has its place and what was expected there', () => {
  expect(problems({ port: 'canary', list: [{ name: 'a' }, { name: 1, canar: 2 }], more: 1 })).toEqual([
    'port: expected a port',
    'list[1].name: expected a string',
    'list[1].canar: no such option',
    'more: no such option',
  ])
})

test('the whole has a name of its own, or that of a variable', () => {
  expect(problems(5)).toEqual(['options: expected an object'])
  expect(problems(5, '', 'the file')).toEqual(['the file: expected an object'])
  expect(problems({ list: [5] }, 'MICROMEGAS_X')).toEqual(['MICROMEGAS_X.list[0]: expected an object'])
  expect(problems(5, 'MICROMEGAS_X')).toEqual(['MICROMEGAS_X: expected an object'])
})

test('a name that may be a secret is not shown where the schema says so', () => {
  expect(problems({ keys: [{ key: 'a', canary: 'b' }] })).toEqual([
    'keys[0]: expected an object with a key, and no other',
  ])
})

test('a check without a text of its own is told all the same', () => {
  expect(problems({ amount: -1 })).toEqual(['amount: not usable'])
})
