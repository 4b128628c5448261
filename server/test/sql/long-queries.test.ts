import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LocalEngine } from '../../src/sql/local-engine.ts'
import { ask } from './answers.ts'
import { openGoldenEngine } from './golden-engine.ts'

let engine: LocalEngine

beforeAll(async () => {
  engine = await openGoldenEngine()
})

afterAll(() => engine.close())

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

test.each([
  ['every character up to U+00FF', Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')],
  ['five thousand characters that DuckDB reads no text with', '\0\u0001'.repeat(2500)],
  ['the same between others', "it's \0".repeat(2500)],
])('a literal of %s is what it says', async (_name, text) => {
  const { rows } = await ask(engine, {
    sql: `select ${literal(text)}, length(${literal(text)})`,
    caller: { admin: false },
  })
  expect(rows).toEqual([[text, [...text].length]])
})

const repeated = (part: (i: number) => string, separator: string): string =>
  Array.from({ length: 1500 }, (_, i) => part(i)).join(separator)

test.each([
  [
    'conditions of or',
    `select count(*) from log_entries where ${repeated((i) => `msg = 'm${i}'`, ' or ')}`,
    '0',
  ],
  [
    'conditions of and',
    `select count(*) from log_entries where ${repeated((i) => `msg <> 'm${i}'`, ' and ')}`,
    '523',
  ],
  [
    'members of a list',
    `select count(*) from log_entries where msg in (${repeated((i) => `'m${i}'`, ', ')})`,
    '0',
  ],
  ['branches', `select case ${repeated((i) => `when 3 = ${i} then 'b${i}'`, ' ')} end`, 'b3'],
  ['texts of one call', `select length(concat(${repeated(() => "'a'", ', ')}))`, 1500],
])('1500 %s are answered', async (_name, sql, expected) => {
  expect((await ask(engine, { sql, caller: { admin: false } })).rows).toEqual([[expected]])
})

test.each([
  ['sums', repeated(String, ' + ')],
  ['joined texts', repeated((i) => `'${i}'`, ' || ')],
])('1500 %s in a row are refused, with what to write instead', async (_name, expression) => {
  await expect(ask(engine, { sql: `select ${expression}`, caller: { admin: false } })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(
      'more than 1000 operators in a row: split it, or join texts by concat(...)',
    ),
  })
})
