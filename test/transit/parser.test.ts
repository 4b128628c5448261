import { describe, expect, test } from 'vitest'
import { BlockParser, type DynamicReader, type RecordTypes } from '../../src/transit/parser.ts'
import { RecordShape } from '../../src/transit/record.ts'
import {
  dynamicType,
  fixedType,
  type Member,
  referenceType,
  type UserDefinedType,
} from '../../src/transit/reflection.ts'
import type { TransitValue } from '../../src/transit/value.ts'
import { expectFormatError } from './format-errors.ts'
import { hex, type Section, section } from './section.ts'

const NO_READERS: ReadonlyMap<string, DynamicReader> = new Map()

function types(dependencies: readonly UserDefinedType[], objects: readonly UserDefinedType[]): RecordTypes {
  return { dependenciesMetadata: dependencies, objectsMetadata: objects }
}

function parse(
  layout: RecordTypes,
  dependencies: Section,
  objects: Section,
  readers = NO_READERS,
): { typeName: string; members: Record<string, TransitValue> }[] {
  const parser = new BlockParser(layout, readers)
  return [...parser.parse(dependencies.done(), objects.done())].map((object) => ({
    typeName: object.typeName,
    members: Object.fromEntries(object.members),
  }))
}

function member(name: string, typeName: string, offset: number, size: number, isReference = false): Member {
  return { name, typeName, offset, size, isReference }
}

function struct(
  name: string,
  size: number,
  members: readonly Member[],
  isReference = false,
): UserDefinedType {
  return { name, size, members, isReference }
}

const STRINGS = dynamicType('StaticStringDependency')
/** Shows what a dependency decodes to: an object that refers to it. */
const SHOW = fixedType('Show', { value: 'ref' })

function show(
  dependencyTypes: readonly UserDefinedType[],
  dependencies: Section,
  id: number | bigint,
): TransitValue {
  const [object] = parse(types(dependencyTypes, [SHOW]), dependencies, section().u8(0).u64(id))
  return object!.members.value!
}

describe('a queue', () => {
  test('of no bytes holds no objects', () => {
    expect(parse(types([], []), section(), section())).toEqual([])
  })

  test('is a plain sequence of records: type index, size word for dynamic types only, members', () => {
    const fixed = fixedType('Fixed', { a: 'u8', b: 'u32' })
    const shape = new RecordShape('Dynamic', [['text', undefined]])
    const readers = new Map<string, DynamicReader>([
      ['Dynamic', (bytes) => shape.record([bytes.readString('text')])],
    ])
    const objects = section().u8(1).u8(7).u32(9).dynamic(0, section().text('hi')).u8(1).u8(8).u32(10)
    expect(parse(types([], [dynamicType('Dynamic'), fixed]), section(), objects, readers)).toEqual([
      { typeName: 'Fixed', members: { a: 7, b: 9 } },
      { typeName: 'Dynamic', members: { text: 'hi' } },
      { typeName: 'Fixed', members: { a: 8, b: 10 } },
    ])
  })

  test('may use type index 255 and no higher one than there are types', () => {
    const many = Array.from({ length: 256 }, (_, i) => fixedType(`T${i}`, { v: 'u8' }))
    expect(parse(types([], many), section(), section().u8(255, 1))[0]!.typeName).toBe('T255')
    const less = many.slice(0, 255)
    expectFormatError(
      () => parse(types([], less), section(), section().u8(255, 1)),
      /index 255 is past the 255 types/,
    )
  })

  test('that ends inside a record is refused, naming the record and its place', () => {
    const layout = types([], [fixedType('Wide', { a: 'u64' })])
    const objects = section().u8(0).u64(1).u8(0).raw(hex('010203'))
    expectFormatError(
      () => parse(layout, section(), objects),
      /object 1 at byte 9 \(Wide\).*needs 8 bytes, 3 are left/,
    )
  })

  test('that ends inside a size word, or whose size word runs past the end, is refused', () => {
    const layout = types([], [dynamicType('D')])
    expectFormatError(() => parse(layout, section(), section().u8(0).raw(hex('0100'))), /record size/)
    expectFormatError(() => parse(layout, section(), section().u8(0).u32(1)), /needs 1 bytes, 0 are left/)
    expectFormatError(() => parse(layout, section(), section().u8(0).u32(0xffff_ffff)), /4294967295 bytes/)
  })

  test('ends right after the last byte of a record', () => {
    const layout = types([], [fixedType('Wide', { a: 'u64' })])
    expect(parse(layout, section(), section().u8(0).u64(1))).toHaveLength(1)
  })

  test('is refused when it uses an index past the dependency types', () => {
    expectFormatError(
      () => parse(types([STRINGS], []), section().u8(1), section()),
      /dependency 0 at byte 0 \(unknown type\).*index 1 is past the 1 types/,
    )
  })
})

describe('members', () => {
  test('are read by their declared type, in both spellings', () => {
    const type = struct('All', 58, [
      member('a', 'u8', 0, 1),
      member('b', 'uint8', 1, 1),
      member('c', 'u32', 2, 4),
      member('d', 'uint32', 6, 4),
      member('e', 'u64', 10, 8),
      member('f', 'uint64', 18, 8),
      member('g', 'i64', 26, 8),
      member('h', 'int64', 34, 8),
      member('i', 'f64', 42, 8),
      member('j', 'f64', 50, 8),
    ])
    const objects = section()
      .u8(0)
      .u8(1, 255)
      .u32(3)
      .u32(0xffff_ffff)
      .u64(5, 2n ** 64n - 1n)
      .u64(-7, -(2n ** 63n))
      .f64(0.5)
      .f64(Number.NEGATIVE_INFINITY)
    expect(parse(types([], [type]), section(), objects)[0]!.members).toEqual({
      a: 1,
      b: 255,
      c: 3,
      d: 0xffff_ffff,
      e: 5n,
      f: 2n ** 64n - 1n,
      g: -7n,
      h: -(2n ** 63n),
      i: 0.5,
      j: Number.NEGATIVE_INFINITY,
    })
  })

  test('may stand in any order, with gaps and overlaps', () => {
    const type = struct('Gaps', 16, [
      member('late', 'u32', 12, 4),
      member('low', 'u32', 0, 4),
      member('whole', 'u64', 0, 8),
    ])
    const objects = section().u8(0).u32(1).u32(2).u32(3).u32(4)
    expect(parse(types([], [type]), section(), objects)[0]!.members).toEqual({
      late: 4,
      low: 1,
      whole: (2n << 32n) | 1n,
    })
  })

  test('of a repeated name are all read and the first one counts', () => {
    const type = struct('Twice', 2, [member('x', 'u8', 0, 1), member('x', 'u8', 1, 1)])
    expect(parse(types([], [type]), section(), section().u8(0, 1, 2))[0]!.members).toEqual({ x: 1 })
  })

  test('with names of JavaScript internals are ordinary members', () => {
    const type = struct('Odd', 2, [member('__proto__', 'u8', 0, 1), member('constructor', 'u8', 1, 1)])
    const parser = new BlockParser(types([], [type]), NO_READERS)
    const [object] = [...parser.parse(Buffer.alloc(0), hex('000102'))]
    expect(object!.get('__proto__')).toBe(1)
    expect([...object!.members.keys()]).toEqual(['__proto__', 'constructor'])
    expect(object!.get('toString')).toBeUndefined()
  })

  test.each(['i32', 'f32', 'bool', 'u16', 'usize', 'double', '* const u8', ''])(
    'of type "%s" make every record of their type unreadable',
    (typeName) => {
      const type = struct('Bad', 4, [member('x', typeName, 0, 4)])
      expectFormatError(
        () => parse(types([], [type]), section(), section().u8(0).u32(1)),
        /member x of type Bad: type .* is unknown/,
      )
    },
  )

  test('of an unknown type do no harm to blocks without such a record', () => {
    const layout = types([], [struct('Bad', 4, [member('x', 'i32', 0, 4)]), fixedType('Good', { v: 'u8' })])
    expect(parse(layout, section(), section().u8(1, 5))).toHaveLength(1)
  })

  test.each([
    ['u8', 2],
    ['u32', 8],
    ['u64', 4],
    ['i64', 0],
    ['f64', 16],
  ])('of type %s and size %i do not fit their type', (typeName, size) => {
    const type = struct('Bad', 16, [member('x', typeName, 0, size)])
    expectFormatError(
      () => parse(types([], [type]), section(), section().u8(0).u64(0, 0)),
      /takes \d bytes, it has/,
    )
  })

  test('must end inside the record, references and nested records too', () => {
    const at = (m: Member) => () =>
      parse(
        types([], [struct('R', 8, [m]), fixedType('Nested', { v: 'u64' })]),
        section(),
        section().u8(0).u64(0),
      )
    expectFormatError(at(member('x', 'u8', 8, 1)), /ends at byte 9 of 8/)
    expectFormatError(at(member('x', 'u64', 1, 8, true)), /ends at byte 9 of 8/)
    expectFormatError(at(member('x', 'Nested', 1, 0)), /type Nested ends at byte 9 of 8/)
    expectFormatError(at(member('x', 'Nested', 0, 9)), /ends at byte 9 of 8/)
  })

  test('that refer need at least 8 bytes; more are passed over', () => {
    const deps = section().dynamic(0, section().u64(1).text('s'))
    const refer = (size: number) =>
      parse(
        types([STRINGS], [struct('R', 16, [member('x', 'whatever', 0, size, true)])]),
        deps,
        section().u8(0).u64(1, 0xdead),
      )
    expect(refer(8)[0]!.members).toEqual({ x: 's' })
    expect(refer(16)[0]!.members).toEqual({ x: 's' })
    expectFormatError(() => refer(7), /a reference takes 8 bytes, it has 7/)
  })

  test('with sizes and offsets that are no byte counts are refused', () => {
    for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const badOffset = struct('R', 8, [member('x', 'u8', bad, 1)])
      const badSize = struct('R', 8, [member('x', 'Nested', 0, bad), member('Nested', 'u8', 0, 1)])
      for (const type of [badOffset, badSize, struct('R', bad, [])]) {
        expectFormatError(() => parse(types([], [type]), section(), section().u8(0).u64(0, 0, 0)))
      }
    }
  })
})

describe('nested records', () => {
  const point = fixedType('Point', { x: 'u8', y: 'u8' })

  test('are decoded in place by the first type of that name', () => {
    const outer = struct('Outer', 4, [member('p', 'Point', 2, 2)])
    const shadowed = fixedType('Point', { z: 'u8' })
    const [object] = parse(types([], [outer, point, shadowed]), section(), section().u8(0, 0, 0, 3, 4))
    const p = object!.members.p as { members: ReadonlyMap<string, TransitValue> }
    expect(Object.fromEntries(p.members)).toEqual({ x: 3, y: 4 })
  })

  test('of a by-id type stand for the value of its member id, whatever else it has', () => {
    const handle = struct('Handle', 16, [member('len', 'u32', 8, 4), member('id', 'u64', 0, 8, true)], true)
    const outer = struct('Outer', 16, [member('s', 'Handle', 0, 16)])
    const deps = section().dynamic(0, section().u64(9).text('nine'))
    const objects = section().u8(0).u64(9).u32(4).u32(0)
    expect(parse(types([STRINGS], [outer, handle]), deps, objects)[0]!.members).toEqual({ s: 'nine' })
  })

  test('of a by-id type keep the kind of a plain number', () => {
    const handle = struct('Handle', 4, [member('id', 'u32', 0, 4)], true)
    const outer = struct('Outer', 4, [member('n', 'Handle', 0, 4)])
    const parser = new BlockParser(types([], [outer, handle]), NO_READERS)
    const [object] = [...parser.parse(Buffer.alloc(0), hex('00 2a000000'))]
    expect(object!.get('n')).toBe(42)
    expect(object!.kind('n')).toBe('u32')
  })

  test('of a by-id type without a member id are refused', () => {
    const handle = struct('Handle', 8, [member('key', 'u64', 0, 8, true)], true)
    const outer = struct('Outer', 8, [member('s', 'Handle', 0, 8)])
    expectFormatError(
      () => parse(types([], [outer, handle]), section(), section().u8(0).u64(0)),
      /type Handle: it is a reference without a member id/,
    )
  })

  test('that contain themselves, directly or through others, are refused', () => {
    const self = struct('Self', 8, [member('me', 'Self', 0, 8)])
    expectFormatError(
      () => parse(types([], [self]), section(), section().u8(0).u64(0)),
      /type Self: it contains itself/,
    )
    const a = struct('A', 8, [member('b', 'B', 0, 8)])
    const b = struct('B', 8, [member('a', 'A', 0, 8)])
    expectFormatError(() => parse(types([], [a, b]), section(), section().u8(0).u64(0)), /contains itself/)
    const empty = struct('Empty', 0, [member('me', 'Empty', 0, 0)])
    const holder = struct('Holder', 1, [member('e', 'Empty', 0, 0)])
    expectFormatError(
      () => parse(types([], [holder, empty]), section(), section().u8(0, 0)),
      /contains itself/,
    )
  })

  test('may be nested 16 deep and no deeper', () => {
    const chain = (length: number) =>
      Array.from({ length }, (_, i) =>
        i === length - 1
          ? struct(`T${i}`, 8, [member('v', 'u64', 0, 8)])
          : struct(`T${i}`, 8, [member('n', `T${i + 1}`, 0, 8)]),
      )
    expect(parse(types([], chain(16)), section(), section().u8(0).u64(1))).toHaveLength(1)
    expectFormatError(() => parse(types([], chain(17)), section(), section().u8(0).u64(1)), /more than 16/)
    expectFormatError(
      () => parse(types([], chain(100_000)), section(), section().u8(0).u64(1)),
      /more than 16/,
    )
  })

  test('of a chain that is too deep are refused also when its inner types were used before', () => {
    const chain = Array.from({ length: 17 }, (_, i) =>
      i === 16
        ? struct(`T${i}`, 8, [member('v', 'u64', 0, 8)])
        : struct(`T${i}`, 8, [member('n', `T${i + 1}`, 0, 8)]),
    )
    const objects = section()
    for (let i = 16; i >= 0; i--) objects.u8(i).u64(1)
    expectFormatError(() => parse(types([], chain), section(), objects), /object 16 .*more than 16/)
  })

  test('cannot multiply: each level doubling the one below is refused', () => {
    const doubling = Array.from({ length: 15 }, (_, i) =>
      i === 14
        ? struct(`T${i}`, 8, [member('v', 'u64', 0, 8)])
        : struct(`T${i}`, 8, [member('a', `T${i + 1}`, 0, 8), member('b', `T${i + 1}`, 0, 8)]),
    )
    expectFormatError(
      () => parse(types([], doubling), section(), section().u8(0).u64(1)),
      /values in 8 bytes/,
    )
  })

  test('and overlapping members may make 8 values a byte and no more', () => {
    const overlapping = (count: number) =>
      struct(
        'O',
        1,
        Array.from({ length: count }, (_, i) => member(`m${i}`, 'u8', 0, 1)),
      )
    // 8 * (1 byte + the index byte), less the record itself
    expect(parse(types([], [overlapping(15)]), section(), section().u8(0, 1))).toHaveLength(1)
    expectFormatError(
      () => parse(types([], [overlapping(16)]), section(), section().u8(0, 1)),
      /more than 16 values/,
    )
  })
})

describe('dependencies', () => {
  test('of the name StaticString are the rest of the record in UTF-8', () => {
    const deps = section().dynamic(0, section().u64(1).raw('żółw')).dynamic(0, section().u64(2))
    expect(show([dynamicType('StaticString')], deps, 1)).toBe('żółw')
    expect(show([dynamicType('StaticString')], deps, 2)).toBe('')
  })

  test('of the name StaticString must be valid UTF-8 and hold an id', () => {
    const strict = [dynamicType('StaticString')]
    expectFormatError(
      () => show(strict, section().dynamic(0, section().u64(1).u8(0xe9)), 1),
      /not valid UTF-8/,
    )
    expectFormatError(
      () => show(strict, section().dynamic(0, section().u32(1)), 1),
      /id: it needs 8 bytes, 4 are left/,
    )
  })

  test('are told by their name before their size: a fixed-size StaticString is a string', () => {
    const fixed = struct('StaticString', 11, [])
    expect(show([fixed], section().u8(0).u64(1).raw('abc'), 1)).toBe('abc')
  })

  test('of the name StaticStringDependency have a codec and replace invalid bytes', () => {
    expect(show([STRINGS], section().dynamic(0, section().u64(1).text(hex('61 e9'))), 1)).toBe('a\ufffd')
    expect(
      show([STRINGS], section().dynamic(0, section().u64(1).text(Buffer.from('wide', 'utf16le'), 1)), 1),
    ).toBe('wide')
    expectFormatError(
      () => show([STRINGS], section().dynamic(0, section().u64(1).text('x', 9)), 1),
      /codec 9/,
    )
  })

  test('cannot read past their size word', () => {
    const short = section().u8(0).u32(14).u64(1).u8(2).u32(2).raw('ab')
    expectFormatError(() => show([STRINGS], short, 1), /needs 2 bytes, 1 are left/)
  })

  test('may have bytes after the string, which are passed over', () => {
    const deps = section()
      .dynamic(0, section().u64(1).text('a').raw('rest'))
      .dynamic(0, section().u64(2).text('b'))
    expect(show([STRINGS], deps, 1)).toBe('a')
    expect(show([STRINGS], deps, 2)).toBe('b')
  })

  test('may have any 64-bit id', () => {
    for (const id of [0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      const deps = section().dynamic(0, section().u64(id).text(`s${id}`))
      expect(show([STRINGS], deps, id)).toBe(`s${id}`)
    }
  })

  test('of neighbouring large ids are kept apart', () => {
    const deps = section()
      .dynamic(
        0,
        section()
          .u64(2n ** 53n)
          .text('even'),
      )
      .dynamic(
        0,
        section()
          .u64(2n ** 53n + 1n)
          .text('odd'),
      )
    expect(show([STRINGS], deps, 2n ** 53n)).toBe('even')
    expect(show([STRINGS], deps, 2n ** 53n + 1n)).toBe('odd')
  })

  test('share one id space: an id used twice is refused, even for an equal value or another type', () => {
    const record = fixedType('Record', { id: 'u64' })
    const twice = section().dynamic(0, section().u64(5).text('a')).dynamic(0, section().u64(5).text('a'))
    expectFormatError(() => show([STRINGS], twice, 5), /dependency 1 at byte 19 .*id 5 is used twice/)
    const mixed = section().dynamic(0, section().u64(5).text('a')).u8(1).u64(5)
    expectFormatError(() => show([STRINGS, record], mixed, 5), /id 5 is used twice/)
    const set = section().dynamic(0, section().u64(5).text('a')).dynamic(1, section().u64(5).u32(0))
    const property = fixedType('Property', { name: 'ref', value: 'ref' })
    expectFormatError(
      () => show([STRINGS, dynamicType('PropertySetDependency'), property], set, 5),
      /used twice/,
    )
  })

  test('that are records are stored under their member id, u64 or i64', () => {
    const unsigned = fixedType('Any', { name: 'ref', id: 'u64' })
    const signed = fixedType('Any', { name: 'ref', id: 'i64' })
    const deps = section().dynamic(0, section().u64(1).text('n')).u8(1).u64(1, -1)
    for (const type of [unsigned, signed]) {
      const value = show([STRINGS, type], deps, 2n ** 64n - 1n) as { typeName: string }
      expect(value.typeName).toBe('Any')
    }
  })

  test('that are records without an id, or with one that is no 64-bit integer, are refused', () => {
    const bad = [
      fixedType('R', { key: 'u64' }),
      fixedType('R', { id: 'u32', more: 'u32' }),
      fixedType('R', { id: 'f64' }),
    ]
    for (const type of bad)
      expectFormatError(() => show([type], section().u8(0).u64(1), 1), /member id of R as u64/)
    const reference = fixedType('R', { id: 'ref' })
    const deps = section().dynamic(0, section().u64(1).text('s')).u8(1).u64(1)
    expectFormatError(() => show([STRINGS, reference], deps, 1), /member id of R as u64: it is a string/)
  })

  test('may refer only to dependencies before them', () => {
    const record = fixedType('R', { id: 'u64', name: 'ref' })
    const forward = section().u8(1).u64(2, 1).dynamic(0, section().u64(1).text('late'))
    expectFormatError(
      () => show([STRINGS, record], forward, 2),
      /dependency 0 at byte 0 \(R\).*member name of type R: dependency 1 is not in the block/,
    )
  })

  test('of an unknown dynamic type make the block unreadable', () => {
    expectFormatError(
      () => parse(types([dynamicType('New')], []), section().dynamic(0, section()), section()),
      /its type has no fixed size and no known name/,
    )
  })

  test('that nothing refers to are harmless', () => {
    const deps = section().dynamic(0, section().u64(1).text('unused'))
    expect(parse(types([STRINGS], []), deps, section())).toEqual([])
  })
})

describe('property sets', () => {
  const packed = [
    STRINGS,
    dynamicType('PropertySetDependency'),
    fixedType('Property', { name: 'ref', value: 'ref' }),
  ]
  const strings = () =>
    section().dynamic(0, section().u64(1).text('k')).dynamic(0, section().u64(2).text('v'))

  test('are pairs in wire order, repeated keys included', () => {
    const deps = strings().dynamic(1, section().u64(9).u32(2).u64(1, 2, 1, 1))
    expect(show(packed, deps, 9)).toEqual([
      ['k', 'v'],
      ['k', 'k'],
    ])
  })

  test('may be empty', () => {
    expect(show(packed, strings().dynamic(1, section().u64(9).u32(0)), 9)).toEqual([])
  })

  test('honour the layout of the type Property, as Rust declares it', () => {
    const rust = [
      STRINGS,
      dynamicType('PropertySetDependency'),
      struct('Property', 32, [
        member('name', 'StaticStringRef', 0, 16),
        member('value', 'StaticStringRef', 16, 16),
      ]),
      struct('StaticStringRef', 16, [member('id', 'u64', 0, 8, true)], true),
    ]
    const deps = strings().dynamic(1, section().u64(9).u32(1).u64(1, 0, 2, 0))
    expect(show(rust, deps, 9)).toEqual([['k', 'v']])
  })

  test('are refused without a type Property, with one of size 0, and with one that is a reference', () => {
    const set = () => strings().dynamic(1, section().u64(9).u32(0))
    expectFormatError(
      () => show(packed.slice(0, 2), set(), 9),
      /type Property: the metadata does not list it/,
    )
    expectFormatError(() => show([...packed.slice(0, 2), struct('Property', 0, [])], set(), 9), /do not fit/)
    const one = strings().dynamic(1, section().u64(9).u32(1).u64(1))
    const reference = { ...referenceType('StaticStringRef'), name: 'Property' }
    expectFormatError(() => show([...packed.slice(0, 2), reference], one, 9), /type Property is a reference/)
  })

  test('are refused when names or values are no strings', () => {
    const record = fixedType('R', { id: 'u64' })
    const deps = strings().u8(3).u64(7).dynamic(1, section().u64(9).u32(1).u64(1, 7))
    expectFormatError(
      () => show([...packed, record], deps, 9),
      /member value of Property as a string: it is a R/,
    )
  })

  test('that claim four billion properties are refused before anything is allocated', () => {
    const deps = strings().dynamic(1, section().u64(9).u32(0xffff_ffff).raw(hex('00112233445566778899')))
    expectFormatError(() => show(packed, deps, 9), /4294967295 of 16 bytes do not fit in the 10 bytes left/)
  })

  test('hold as many properties as fit and not one more', () => {
    const of = (count: number) => strings().dynamic(1, section().u64(9).u32(count).u64(1, 2, 1, 2))
    expect(show(packed, of(2), 9)).toHaveLength(2)
    expectFormatError(() => show(packed, of(3), 9), /do not fit/)
  })
})

describe('objects', () => {
  test('of an unknown dynamic type have no members and do not stop the block', () => {
    const layout = types([], [dynamicType('FromTheFuture'), fixedType('Known', { v: 'u8' })])
    const objects = section().dynamic(0, section().raw('anything')).u8(1, 7)
    expect(parse(layout, section(), objects)).toEqual([
      { typeName: 'FromTheFuture', members: {} },
      { typeName: 'Known', members: { v: 7 } },
    ])
  })

  test('are read by their size before their name: a fixed-size type of a dynamic name has members', () => {
    const never: DynamicReader = () => {
      throw new Error('not to be called')
    }
    const type = fixedType('LogStringEventV2', { time: 'i64' })
    const objects = section().u8(0).u64(5)
    expect(parse(types([], [type]), section(), objects, new Map([['LogStringEventV2', never]]))).toEqual([
      { typeName: 'LogStringEventV2', members: { time: 5n } },
    ])
  })

  test('that refer to nothing make the block unreadable', () => {
    expectFormatError(
      () => parse(types([], [SHOW]), section(), section().u8(0).u64(77)),
      /object 0 at byte 0 \(Show\).*dependency 77 is not in the block/,
    )
  })

  test('before a corrupt one are yielded, and the iteration then throws', () => {
    const parser = new BlockParser(types([], [fixedType('T', { v: 'u8' })]), NO_READERS)
    const objects = parser.parse(Buffer.alloc(0), hex('0001 0002 09'))
    expect(objects.next().value?.get('v')).toBe(1)
    expect(objects.next().value?.get('v')).toBe(2)
    expectFormatError(() => objects.next(), /object 2 at byte 4/)
  })

  test('of a by-id type, which stand for no record, have no members', () => {
    const deps = section().dynamic(0, section().u64(1).text('s'))
    expect(parse(types([STRINGS], [referenceType('StaticStringRef')]), deps, section().u8(0).u64(1))).toEqual(
      [{ typeName: 'StaticStringRef', members: {} }],
    )
  })

  test('find nested types in their own metadata only', () => {
    const layout = types(
      [referenceType('StaticStringRef')],
      [struct('R', 8, [member('s', 'StaticStringRef', 0, 8)])],
    )
    expectFormatError(() => parse(layout, section(), section().u8(0).u64(1)), /StaticStringRef is unknown/)
  })

  test('share the memory of the section they are read from, wherever it lies in its buffer', () => {
    const shape = new RecordShape('D', [['data', undefined]])
    const readers = new Map<string, DynamicReader>([
      ['D', (bytes) => shape.record([bytes.readBytes(bytes.remaining, 'data')])],
    ])
    const whole = hex('ffffff 00 02000000 abcd ffff')
    const parser = new BlockParser(types([], [dynamicType('D')]), readers)
    const [object] = [...parser.parse(Buffer.alloc(0), whole.subarray(3, 10))]
    const data = object!.get('data') as Uint8Array
    expect(Buffer.from(data).toString('hex')).toBe('abcd')
    whole[8] = 0
    expect(data[0]).toBe(0)
  })

  test('errors of a reader that are no format errors pass unchanged', () => {
    const bug = new RangeError('a bug')
    const readers = new Map<string, DynamicReader>([
      [
        'D',
        () => {
          throw bug
        },
      ],
    ])
    expect(() =>
      parse(types([], [dynamicType('D')]), section(), section().dynamic(0, section()), readers),
    ).toThrow(bug)
  })
})
