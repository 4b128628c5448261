import { expect, test } from 'vitest'
import { ident, rawSql, type SqlValue, sql, timestamp } from '../../src/query/index.ts'

test.each<[SqlValue, string]>([
  ['plain', "'plain'"],
  ["x' OR 1=1 --", "'x'' OR 1=1 --'"],
  ["'; drop table a; --", "'''; drop table a; --'"],
  ['back\\slash', "'back\\slash'"],
  ['', "''"],
  ['é€😀\n', "'é€😀\n'"],
  [3, '3'],
  [1.5, '1.5'],
  [-1, '(-1)'],
  [-0, '(-0.0)'],
  [1e21, '1e+21'],
  [9_223_372_036_854_775_807n, '9223372036854775807'],
  [-5n, '(-5)'],
  [true, 'TRUE'],
  [false, 'FALSE'],
  [null, 'NULL'],
  [new Date('2026-11-25T23:38:28.092Z'), "TIMESTAMP '2026-11-25T23:38:28.092Z'"],
  [Uint8Array.of(0, 255), "X'00ff'"],
  [['a', "b'", 3], "('a', 'b''', 3)"],
  [ident('end'), '"end"'],
  [ident('a"b'), '"a""b"'],
  [ident('processes.exe'), '"processes.exe"'],
  [ident('p', 'exe'), '"p"."exe"'],
  [timestamp(1_795_649_908_000_000_001n), "TIMESTAMP '2026-11-25T23:38:28.000000001Z'"],
  [rawSql('level <= 2'), 'level <= 2'],
  [[ident('a'), 1], '("a", 1)'],
])('%s is quoted as %s', (value, literal) => {
  expect(sql`select ${value} as x`).toBe(`select ${literal} as x`)
})

test.each([
  [undefined],
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
  [[]],
  [{ toString: () => "'; drop" }],
  [Symbol('x')],
  [() => 1],
  ['nul\0'],
  [new Date(Number.NaN)],
  [['a', undefined]],
])('%s cannot be quoted', (value) => {
  expect(() => sql`select ${value as never}`).toThrow(/^Cannot (quote value 1 of the template|use the time)/)
})

test('a negative number cannot make a comment', () => {
  expect(sql`select a -${-1} from t`).toBe('select a -(-1) from t')
})

test.each([
  ['text', () => sql`select * from t where msg like '%${'x'}%'`],
  ['text after an escaped quote', () => sql`select 'it''s ${'x'}'`],
  ['a name', () => sql`select "${'x'}"`],
  ['a name in backticks', () => sql`select \`${'x'}\``],
  ['a line comment', () => sql`select 1 -- ${'x'}`],
  ['a block comment', () => sql`select 1 /* ${'x'} */`],
  ['a comment in a comment', () => sql`select 1 /* /* */ ${'x'} */`],
  ['dollar quotes', () => sql`select $tag$ ${'x'} $tag$`],
  ['text with backslashes', () => sql`select E'\\' ${'x'}'`],
])('a value inside %s is refused: its quotes would end there', (_, make) => {
  expect(make).toThrow(/^Cannot quote value 1 of the template: it stands inside /)
})

test.each([
  ['text', () => sql`select 'a--b' , ${1}`, "select 'a--b' , 1"],
  ['a comment', () => sql`select 1 -- it's\n , ${1}`, "select 1 -- it's\n , 1"],
  ['a block', () => sql`select /* it's */ ${1}`, "select /* it's */ 1"],
  ['names', () => sql`select "it's" , ${1}`, 'select "it\'s" , 1'],
  ['words that end in e', () => sql`where a like'\\' and b = ${1}`, "where a like'\\' and b = 1"],
  ['two texts', () => sql`select ${'a'} || ' ' || ${'b'}`, "select 'a' || ' ' || 'b'"],
])('a value behind %s is fine', (_, make, text) => {
  expect(make()).toBe(text)
})

test('a name has to be text', () => {
  expect(() => ident('')).toThrow(TypeError)
  expect(() => ident(undefined as never)).toThrow(TypeError)
  expect(() => ident('a', '')).toThrow(TypeError)
})
