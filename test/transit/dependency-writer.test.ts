import { describe, expect, test } from 'vitest'
import { DependencyWriter } from '../../src/transit/dependency-writer.ts'
import { BlockParser } from '../../src/transit/parser.ts'
import { dynamicType, fixedType } from '../../src/transit/reflection.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytesOf = (spaced: string) => spaced.replaceAll(/\s/g, '')

const DEPENDENCIES = [
  dynamicType('StaticStringDependency'),
  fixedType('Record', { id: 'u64', first: 'ref', second: 'ref', line: 'u32' }),
  dynamicType('PropertySetDependency'),
  fixedType('Property', { name: 'ref', value: 'ref' }),
]

/** What a section resolves to: the parser refuses ids used twice, and references to what does not stand before. */
function resolveAll(section: Uint8Array, ids: readonly number[]): unknown[] {
  const objects = Buffer.alloc(ids.length * 9)
  for (const [i, id] of ids.entries()) objects.writeUInt32LE(id, i * 9 + 1)
  const parser = new BlockParser(
    { dependenciesMetadata: DEPENDENCIES, objectsMetadata: [fixedType('Event', { value: 'ref' })] },
    new Map(),
  )
  return [...parser.parse(section, objects)].map((event) => event.get('value'))
}

describe('the worked log block of the protocol', () => {
  /** Section 10.2, in its own order of ids. */
  function workedExample(): DependencyWriter {
    const writer = new DependencyWriter()
    const hello = writer.string('hello')
    const app = writer.string('app')
    const file = writer.string('main.ts')
    writer.record(1, [hello, app, app, file], [42, 4])
    return writer
  }

  const strings = bytesOf(`
    00 12000000 0100000000000000 02 05000000 68656c6c6f
    00 10000000 0200000000000000 02 03000000 617070
    00 14000000 0300000000000000 02 07000000 6d61696e2e7473`)
  const record = bytesOf(`
    01 0400000000000000 0100000000000000 0200000000000000 0200000000000000 0300000000000000 2a000000 04000000`)

  test('is written byte for byte', () => {
    expect(hex(workedExample().take())).toBe(strings + record)
  })

  test('is continued byte for byte by a property set', () => {
    const writer = workedExample()
    expect(writer.propertySet(2, [['env', 'prod']])).toBe(7)
    const continuation = bytesOf(`
      00 10000000 0500000000000000 02 03000000 656e76
      00 11000000 0600000000000000 02 04000000 70726f64
      02 1c000000 0700000000000000 01000000 0500000000000000 0600000000000000`)
    expect(hex(writer.take())).toBe(strings + record + continuation)
  })
})

describe('a dependency section', () => {
  test('has each string once, and one counter of ids for strings, records and sets', () => {
    const writer = new DependencyWriter()
    const a = writer.string('a')
    const record = writer.record(1, [a, writer.string('b')], [7])
    const set = writer.propertySet(2, [
      ['a', 'b'],
      ['c', 'a'],
    ])
    expect([a, writer.string('a'), writer.string('b'), record, writer.string('c'), set]).toEqual([
      1, 1, 2, 3, 4, 5,
    ])
    const [, , third, , fifth] = resolveAll(writer.take(), [1, 2, 3, 4, 5])
    expect((third as { get(name: string): unknown }).get('second')).toBe('b')
    expect(fifth).toEqual([
      ['a', 'b'],
      ['c', 'a'],
    ])
  })

  test('starts anew after take: ids from 1, every string written again', () => {
    const writer = new DependencyWriter()
    writer.propertySet(2, [['k', 'v']])
    const first = writer.take()
    expect(writer.length).toBe(0)
    writer.propertySet(2, [['k', 'v']])
    expect(hex(writer.take())).toBe(hex(first))
  })

  test('is a copy that later writing leaves alone', () => {
    const writer = new DependencyWriter()
    writer.string('before')
    const section = writer.take()
    const was = hex(section)
    writer.string('after!')
    expect(hex(section)).toBe(was)
  })

  test('grows past its first buffer without losing what it holds', () => {
    const writer = new DependencyWriter()
    const texts = Array.from({ length: 2000 }, (_, i) => `${i} ${'é'.repeat(i % 97)}`)
    const ids = texts.map((text) => writer.string(text))
    const huge = 'y'.repeat(100_000)
    ids.push(writer.string(huge))
    expect(resolveAll(writer.take(), ids)).toEqual([...texts, huge])
  })

  test('holds empty strings and empty sets', () => {
    const writer = new DependencyWriter()
    const ids = [writer.string(''), writer.propertySet(2, [])]
    expect(resolveAll(writer.take(), ids)).toEqual(['', []])
  })

  test('keeps two strings apart that differ in a lone surrogate only, though both read the same', () => {
    const writer = new DependencyWriter()
    const ids = [writer.string('\ud800'), writer.string('\ud801'), writer.string('\ufffd')]
    expect(new Set(ids).size).toBe(3)
    expect(resolveAll(writer.take(), ids)).toEqual(['\ufffd', '\ufffd', '\ufffd'])
  })

  test('has no bytes when nothing was listed', () => {
    expect(new DependencyWriter().take().length).toBe(0)
  })

  test('grows its length by exactly the bytes of each record', () => {
    const writer = new DependencyWriter()
    writer.string('five!')
    expect(writer.length).toBe(5 + 13 + 5)
    writer.record(1, [1, 1], [3])
    expect(writer.length).toBe(23 + 1 + 8 + 16 + 4)
    expect(writer.take().length).toBe(52)
  })
})
