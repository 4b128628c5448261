import { expect, test } from 'vitest'
import { cellText, jsonText } from '../../src/cli/output/cells.ts'
import { makeWriter, type OutputOptions } from '../../src/cli/output/formats.ts'
import type { Batch, Row } from '../../src/query/arrow/batch.ts'
import type { Schema } from '../../src/query/arrow/schema.ts'

/** A result of text columns, except those whose name begins with `n`, which are numbers. */
function print(rows: readonly Row[], options: Partial<OutputOptions> = {}): string {
  const names = Object.keys(rows[0] ?? { a: '' })
  const fields = names.map((name) => ({
    name,
    type: name.startsWith('n')
      ? { kind: 'int' as const, bits: 64 as const, signed: true }
      : { kind: 'utf8' as const },
  }))
  const batch = {
    numRows: rows.length,
    columns: names.map((name) => ({ name, at: (row: number) => rows[row]?.[name] })),
  } as unknown as Batch<Row>
  const writer = makeWriter({
    format: 'table',
    isTerminal: false,
    isColored: false,
    columns: undefined,
    maxColumnWidth: undefined,
    ...options,
  })
  return writer.begin({ fields } as unknown as Schema) + writer.batch(batch) + writer.end()
}

const ROWS = [
  { msg: 'a "quoted", text', n: 5n, props: { k: 'v' } },
  { msg: 'two\nlines', n: -12345678901234567890n, props: null },
]

test('a table has a header, dashes and aligned columns', () => {
  expect(print(ROWS)).toBe(`msg                                   n  props
----------------  ---------------------  ---------
a "quoted", text                      5  {"k":"v"}
two\\nlines        -12345678901234567890
`)
})

test('CSV quotes what needs it', () => {
  expect(print(ROWS, { format: 'csv' })).toBe(
    'msg,n,props\n"a ""quoted"", text",5,"{""k"":""v""}"\n"two\nlines",-12345678901234567890,\n',
  )
})

test('JSON has every digit of an integer', () => {
  expect(print(ROWS, { format: 'json' })).toBe(
    '[{"msg":"a \\"quoted\\", text","n":5,"props":{"k":"v"}},{"msg":"two\\nlines","n":-12345678901234567890,"props":null}]\n',
  )
  expect(print(ROWS, { format: 'ndjson' }).split('\n')).toHaveLength(3)
  expect(print([], { format: 'json' })).toBe('[]\n')
})

test('long cells are cut, at the limit given or where the terminal ends', () => {
  const rows = [{ a: 'x'.repeat(60), b: 'y'.repeat(60) }]
  const widths = (text: string) =>
    text
      .split('\n')[1]!
      .split('  ')
      .map((dashes) => dashes.length)
  expect(widths(print(rows))).toEqual([50, 50])
  expect(widths(print(rows, { maxColumnWidth: 0 }))).toEqual([60, 60])
  expect(widths(print(rows, { maxColumnWidth: 10 }))).toEqual([10, 10])
  expect(widths(print(rows, { columns: 40, isTerminal: true }))).toEqual([19, 19])
  expect(widths(print(rows, { columns: 10, isTerminal: true }))).toEqual([8, 8])
  expect(print(rows, { maxColumnWidth: 10 })).toContain('xxxxxxxxx…  yyyyyyyyy…')
})

test('wide characters take two places, marks none', () => {
  expect(
    print([
      { a: '日本', b: 'x' },
      { a: 'e\u0301', b: 'y' },
    ]),
  ).toBe('a     b\n----  -\n日本  x\ne\u0301     y\n')
})

test('nothing in the data acts on a terminal', () => {
  const hostile = [{ a: '\u001b[2Jboo\u202e\u009b31m', b: 'x' }]
  for (const format of ['table', 'csv', 'json', 'ndjson'] as const) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
    expect(print(hostile, { format, isTerminal: true })).not.toMatch(/[\u001b\u009b\u202e]/)
  }
  expect(print(hostile, { format: 'csv' })).toContain('\u001b[2J') // a file gets what the data is
})

test.each([
  ['null', null, '', 'null'],
  ['NaN', Number.NaN, 'NaN', 'null'],
  ['minus zero', -0, '-0', '0'],
  ['bytes', new Uint8Array([1, 255]), '0x01ff', '"Af8="'],
  ['a list', [12345678901234567890n, null], '[12345678901234567890,null]', '[12345678901234567890,null]'],
  ['an object', { a: { b: [true] } }, '{"a":{"b":[true]}}', '{"a":{"b":[true]}}'],
  ['a map', new Map([['k', 1]]), '[["k",1]]', '[["k",1]]'],
])('%s as a cell and as JSON', (_, value, cell, json) => {
  expect(cellText(value)).toBe(cell)
  expect(jsonText(value)).toBe(json)
})
