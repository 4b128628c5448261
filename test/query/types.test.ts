import { readFileSync } from 'node:fs'
import {
  Binary,
  Dictionary,
  Int32,
  Int64,
  makeVector,
  Table,
  tableFromArrays,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Field } from '../../src/query/index.ts'
import { allTypes } from './support/all-types.ts'
import { decode } from './support/decode.ts'

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/arrow/${name}`, import.meta.url))
const stream = fixture('all-types.arrow')

test('every type of Arrow gives exact values, nulls as null', () => {
  const [whole, part] = decode(stream)
  expect(whole!.columns.map((column) => column.name).sort()).toEqual(Object.keys(allTypes).sort())
  for (const column of whole!.columns) {
    expect({ [column.name]: column.toArray() }).toEqual({ [column.name]: allTypes[column.name] })
    expect([...column]).toEqual(column.toArray())
  }
  for (const column of part!.columns) {
    expect({ [column.name]: column.toArray() }).toEqual({ [column.name]: allTypes[column.name]!.slice(1, 3) })
  }
  expect(whole!.toArray()[3]).toEqual(
    Object.fromEntries(Object.entries(allTypes).map(([name, values]) => [name, values[3]])),
  )
})

test('types are spelled as pyarrow spells them', () => {
  const [batch] = decode(stream)
  const lines = batch!.schema.fields.map((field: Field) => `${field.name}: ${field.typeName}`)
  expect(lines).toEqual(fixture('all-types.txt').toString().trim().split('\n'))
})

test('bytes are copies: changing them changes no other value', () => {
  const [batch] = decode(stream)
  const bytes = batch!.column('binary').at(1) as Uint8Array
  bytes.fill(7)
  expect(batch!.column('binary').at(1)).toEqual(Uint8Array.of(0, 255))
  expect(bytes.buffer.byteLength).toBe(2)
})

test('64-bit integers come as numbers where they fit, and are an error where they do not', () => {
  const [batch] = decode(stream, { int64: 'number' })
  expect(batch!.column('int64').at(3)).toBe(0)
  expect(batch!.column('list').at(0)).toEqual([1, null, 3])
  expect(batch!.column('duration_s').at(1)).toBe(-1_000_000_000)
  for (const name of ['int64', 'uint64']) {
    expect(() => batch!.column(name).at(1)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }))
  }
  const [text] = decode(stream, { int64: 'string' })
  expect(text!.column('int64').at(0)).toBe('-9223372036854775808')
  expect(text!.column('interval').at(0)).toEqual({
    months: 14,
    days: -3,
    nanoseconds: (2n ** 60n).toString(),
  })
})

test('times come as text or Date when asked for', () => {
  const [text] = decode(stream, { timestamps: 'string' })
  expect(text!.column('timestamp_ns_utc').toArray()).toEqual([
    '2026-11-25T23:38:28Z',
    '1969-12-31T23:59:59.999999999Z',
    null,
    '1970-01-01T00:00:00Z',
  ])
  expect(text!.column('timestamp_ms').at(1)).toBe('1969-12-31T23:59:59.999')
  expect(text!.column('time64ns').at(1)).toBe('23:59:59.999999999')
  expect(text!.column('deep').at(3)).toEqual([{ at: '1969-12-31T23:59:59.999999999', tags: [] }])
  const [dates] = decode(stream, { timestamps: 'date' })
  expect(dates!.column('timestamp_ns').at(1)).toEqual(new Date(-1))
  expect(dates!.column('timestamp_s').at(0)).toEqual(new Date('2026-11-25T23:38:28Z'))
  expect(dates!.column('date32').at(0)).toEqual(new Date('2026-11-25T00:00:00Z'))
})

test('columns of numbers give their memory as it is', () => {
  const [batch] = decode(stream)
  expect(batch!.column('int32').values).toBeInstanceOf(Int32Array)
  expect(batch!.column('float64').values).toBeInstanceOf(Float64Array)
  expect(batch!.column('int64').values).toBeInstanceOf(BigInt64Array)
  expect(batch!.column('utf8').values).toBeUndefined()
})

test('columns of the same name are told apart in rows', () => {
  const one = tableFromArrays({
    id: Int32Array.of(1),
    'id:1': Int32Array.of(2),
    x: Int32Array.of(3),
    y: Int32Array.of(4),
  })
  // Two names are changed in the bytes: apache-arrow makes no table with names that repeat.
  const bytes = Buffer.from(tableToIPC(one, 'stream'))
  for (const name of ['x', 'y'])
    bytes.write('id\0', bytes.indexOf(Buffer.from([1, 0, 0, 0, name.charCodeAt(0)])) + 4)
  for (let at = bytes.indexOf(Buffer.from('\x01\0\0\0id\0', 'latin1')); at !== -1; ) {
    bytes[at] = 2
    at = bytes.indexOf(Buffer.from('\x01\0\0\0id\0', 'latin1'))
  }
  const [batch] = decode(bytes)
  expect(batch!.schema.fields.map((field) => field.name)).toEqual(['id', 'id:1', 'id', 'id'])
  expect(batch!.toArray()).toEqual([{ id: 1, 'id:1': 2, 'id:2': 3, 'id:3': 4 }])
})

test('a column named __proto__ is a column', () => {
  const bytes = tableToIPC(new Table({ ['__proto__']: vectorFromArray(['x'], new Utf8()) }), 'stream')
  const [batch] = decode(bytes)
  expect(Object.entries(batch!.toArray()[0]!)).toEqual([['__proto__', 'x']])
})

test('rows and columns that do not exist are an error', () => {
  const [batch] = decode(stream)
  for (const index of [-1, 4, 1.5, Number.NaN]) {
    expect(() => batch!.row(index)).toThrow(RangeError)
    expect(() => batch!.column('int8').at(index)).toThrow(RangeError)
  }
  expect(() => batch!.column('nope')).toThrow(/^Cannot find column "nope": the result has "null", "bool"/)
  expect(() => batch!.column(99)).toThrow(RangeError)
})

test('binary columns named properties hold JSONB, others where that is said, and what is none is an error', () => {
  const jsonb = Buffer.from('40000001' + '10000001' + '10000001' + '6162', 'hex') // {"a":"b"}
  const names = ['properties', 'process_properties', 'streams.properties', 'value', 'myproperties']
  const column = vectorFromArray([jsonb, null], new Binary())
  const bytes = tableToIPC(new Table(Object.fromEntries(names.map((name) => [name, column]))), 'stream')
  const read = (options = {}) => decode(bytes, options)[0]!.row(0)
  const raw = new Uint8Array(jsonb)
  expect(read()).toEqual({
    properties: { a: 'b' },
    process_properties: { a: 'b' },
    'streams.properties': { a: 'b' },
    value: raw,
    myproperties: raw,
  })
  expect(read({ jsonb: ['value'] })).toMatchObject({ value: { a: 'b' }, properties: { a: 'b' } })
  expect(read({ jsonb: false })).toMatchObject({ properties: raw })
  expect(decode(bytes)[0]!.row(1)).toMatchObject({ properties: null, value: null })
  const none = tableToIPC(
    new Table({ properties: vectorFromArray([Buffer.from('nothing of that kind')], new Binary()) }),
    'stream',
  )
  expect(() => decode(none)[0]!.row(0)).toThrow(expect.objectContaining({ code: 'DATA_LOSS' }))
})

test('dictionaries that are replaced and continued give each batch its own values', () => {
  const type = new Dictionary(new Utf8(), new Int32(), 7)
  const table = (values: string[]): Uint8Array =>
    tableToIPC(new Table({ d: vectorFromArray(values, type) }), 'stream')
  // Schema, dictionary and batch of one, then dictionary and batch of the other.
  const [first, second] = [table(['a', 'b', 'a']), table(['c', 'd', 'd'])]
  const schemaLength =
    first.length - (first.length - Buffer.from(first).indexOf(Buffer.from([0xff, 0xff, 0xff, 0xff]), 8))
  const joined = Buffer.concat([first.subarray(0, -8), second.subarray(schemaLength)])
  const [one, two] = decode(joined)
  expect([one!.column('d').toArray(), two!.column('d').toArray()]).toEqual([
    ['a', 'b', 'a'],
    ['c', 'd', 'd'],
  ])
  expect(decode(two!.toIPC())[0]!.column('d').toArray()).toEqual(['c', 'd', 'd'])
})

test('whatever byte is changed, there is an answer or a QueryError, and no hang', () => {
  // Metadata is where a change matters most; it comes first.
  const place = fc.oneof(fc.nat(stream.length - 1), fc.nat(6_000))
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = Buffer.from(stream)
      bytes[at] = bytes[at]! ^ change
      try {
        for (const batch of decode(bytes, { timestamps: 'string' })) if (batch.numRows < 100) batch.toArray()
      } catch (error) {
        expect(error).toMatchObject({ name: 'QueryError' })
      }
    }),
    { numRuns: 500 },
  )
})

test('a type that this client does not know is an error, not a guess', () => {
  const bytes = Buffer.from(
    tableToIPC(
      new Table({ n: makeVector({ type: new Int64(), data: BigInt64Array.of(1n), length: 1 }) as never }),
      'stream',
    ),
  )
  // Field.type_type of Int is 2; a type of the future has another number.
  const at = findTypeByte(bytes, 2)
  bytes[at] = 99
  expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'UNIMPLEMENTED' }))
})

/** Where changing the byte makes the decoder meet another type: the only place where that works. */
function findTypeByte(bytes: Buffer, type: number): number {
  for (let at = 8; at < bytes.length; at++) {
    if (bytes[at] !== type) continue
    const copy = Buffer.from(bytes)
    copy[at] = 99
    try {
      decode(copy)
    } catch (error) {
      if (/data type/i.test(String(error))) return at
    }
  }
  throw new Error('no such byte')
}
