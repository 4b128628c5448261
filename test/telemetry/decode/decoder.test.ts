import { describe, expect, test } from 'vitest'
import { decodeBlock, decodeProcess, decodeStream } from '../../../src/telemetry/decode/decoder.ts'
import { expectFormatError } from '../../transit/format-errors.ts'
import { hex } from '../../transit/section.ts'
import {
  array,
  bytes,
  chunkedBytes,
  chunkedText,
  double,
  FALSE,
  head,
  type Item,
  int,
  map,
  NULL,
  TRUE,
  tag,
  text,
  UNDEFINED,
} from '../cbor-bytes.ts'

const ID = '01234567-89ab-4cde-8f01-23456789abcd'

type Entries = readonly (readonly [string, Item])[]

const PROCESS: Entries = [
  ['process_id', text(ID)],
  ['exe', text('exe')],
  ['username', text('user')],
  ['realname', text('User')],
  ['computer', text('host')],
  ['distro', text('os')],
  ['cpu_brand', text('cpu')],
  ['tsc_frequency', int(1_000_000_000)],
  ['start_time', text('2024-01-01T00:00:00Z')],
  ['start_ticks', int(5)],
  ['parent_process_id', NULL],
  ['properties', map([['k', text('v')]])],
]

const STREAM: Entries = [
  ['process_id', text(ID)],
  ['stream_id', text(ID)],
  ['dependencies_metadata', array([])],
  ['objects_metadata', array([])],
  ['tags', array([text('log')])],
  ['properties', map([])],
]

const PAYLOAD: Entries = [
  ['dependencies', bytes(hex('01'))],
  ['objects', bytes(hex('0203'))],
]

const BLOCK: Entries = [
  ['block_id', text(ID)],
  ['stream_id', text(ID)],
  ['process_id', text(ID)],
  ['begin_time', text('2024-01-01T00:00:00Z')],
  ['begin_ticks', int(0)],
  ['end_time', text('2024-01-01T00:00:01Z')],
  ['end_ticks', int(1)],
  ['payload', map(PAYLOAD)],
  ['object_offset', int(0)],
  ['nb_objects', int(1)],
]

const MEMBER: Entries = [
  ['name', text('m')],
  ['type_name', text('u8')],
  ['offset', int(0)],
  ['size', int(1)],
  ['is_reference', FALSE],
]

const TYPE: Entries = [
  ['name', text('T')],
  ['size', int(1)],
  ['members', array([map(MEMBER)])],
  ['is_reference', FALSE],
]

function replaced(entries: Entries, changes: Readonly<Record<string, Item>>): Entries {
  return entries.map(([key, value]) => [key, changes[key] ?? value] as const)
}

const process = (changes: Readonly<Record<string, Item>> = {}) =>
  decodeProcess(map(replaced(PROCESS, changes)))
const stream = (changes: Readonly<Record<string, Item>> = {}) => decodeStream(map(replaced(STREAM, changes)))
const block = (changes: Readonly<Record<string, Item>> = {}) => decodeBlock(map(replaced(BLOCK, changes)))
const payload = (changes: Readonly<Record<string, Item>>) =>
  block({ payload: map(replaced(PAYLOAD, changes)) })

describe('maps', () => {
  test('may have their keys in any order', () => {
    expect(decodeProcess(map([...PROCESS].reverse()))).toEqual(process())
    expect(decodeBlock(map([...BLOCK].reverse()))).toEqual(block())
    expect(decodeStream(map([...STREAM].reverse()))).toEqual(stream())
  })

  test('and arrays may be of definite or indefinite length', () => {
    const long = replaced(PROCESS, { properties: map([['k', text('v')]], true) })
    expect(decodeProcess(map(long, true))).toEqual(process())
    const types = { objects_metadata: array([map(replaced(TYPE, { members: array([], true) }), true)], true) }
    const same = { objects_metadata: array([map(replaced(TYPE, { members: array([]) }))]) }
    expect(decodeStream(map(replaced(STREAM, { ...types, tags: array([text('log')], true) }), true))).toEqual(
      stream(same),
    )
  })

  test('may have unknown text keys with values of any kind', () => {
    const values = [
      int(-5),
      bytes(hex('00ff')),
      chunkedBytes(hex('00'), hex('01')),
      text('x'),
      chunkedText('a', 'b'),
      array([int(1), array([], true)]),
      map([[int(1), array([NULL])]], true),
      tag(1, int(5)),
      tag(2, bytes(Buffer.alloc(40, 1))),
      TRUE,
      UNDEFINED,
      double(1.5),
      hex('f93c00'),
      hex('fa3f800000'),
    ]
    for (const value of values) expect(decodeProcess(map([['new', value], ...PROCESS]))).toEqual(process())
  })

  test('may repeat an unknown key', () => {
    expect(decodeProcess(map([['new', int(1)], ['new', int(2)], ...PROCESS]))).toEqual(process())
  })

  test('may have unknown keys of 4096 bytes and no longer ones', () => {
    expect(decodeProcess(map([['k'.repeat(4096), NULL], ...PROCESS]))).toEqual(process())
    expectFormatError(() => decodeProcess(map([['k'.repeat(4097), NULL], ...PROCESS])), /longer than 4096/)
  })

  test('with integer keys are refused, unknown ones too', () => {
    expectFormatError(
      () => decodeProcess(map([[int(1), NULL], ...PROCESS])),
      /key of process: it must be text/,
    )
  })

  test('with keys of indefinite length are refused', () => {
    expectFormatError(() => decodeProcess(map([[chunkedText('new'), NULL], ...PROCESS])), /indefinite/)
  })

  test('with a known key twice are refused', () => {
    for (const [key, value] of PROCESS) {
      expectFormatError(
        () => decodeProcess(map([...PROCESS, [key, value]])),
        new RegExp(`${key} is there twice`),
      )
    }
    expectFormatError(() => decodeBlock(map([...BLOCK, ['payload', map(PAYLOAD)]])), /payload is there twice/)
    const twice = map([...PAYLOAD, ['objects', bytes(hex(''))]])
    expectFormatError(() => block({ payload: twice }), /objects is there twice/)
    const types = (type: Item) => stream({ objects_metadata: array([type]) })
    expectFormatError(() => types(map([...TYPE, ['size', int(1)]])), /size is there twice/)
    const members = array([map([...MEMBER, ['size', int(1)]])])
    expectFormatError(() => types(map(replaced(TYPE, { members }))), /size is there twice/)
  })

  test.each(PROCESS.map(([key]) => key))('of a process without %s are refused', (key) => {
    const entries = PROCESS.filter(([other]) => other !== key)
    expectFormatError(() => decodeProcess(map(entries)), new RegExp(`process: ${key} missing`))
  })

  test.each(STREAM.map(([key]) => key))('of a stream without %s are refused', (key) => {
    expectFormatError(
      () => decodeStream(map(STREAM.filter(([other]) => other !== key))),
      new RegExp(`${key} missing`),
    )
  })

  test.each(BLOCK.map(([key]) => key))('of a block without %s are refused', (key) => {
    expectFormatError(
      () => decodeBlock(map(BLOCK.filter(([other]) => other !== key))),
      new RegExp(`${key} missing`),
    )
  })

  test.each([...TYPE.map(([key]) => key), ...PAYLOAD.map(([key]) => key)])(
    'of a type or payload without %s are refused',
    (key) => {
      const isPayload = PAYLOAD.some(([other]) => other === key)
      const entries = (isPayload ? PAYLOAD : TYPE).filter(([other]) => other !== key)
      expectFormatError(
        () =>
          isPayload ? block({ payload: map(entries) }) : stream({ objects_metadata: array([map(entries)]) }),
        new RegExp(`${key} missing`),
      )
    },
  )

  test.each(MEMBER.map(([key]) => key))('of a member without %s are refused', (key) => {
    const members = array([map(MEMBER.filter(([other]) => other !== key))])
    expectFormatError(
      () => stream({ objects_metadata: array([map(replaced(TYPE, { members }))]) }),
      /missing/,
    )
  })

  test('list everything that is missing', () => {
    expectFormatError(() => decodeBlock(map([])), /block_id, stream_id, process_id, .* nb_objects missing/)
  })

  test('cannot be replaced by arrays, nor by anything else', () => {
    for (const item of [
      array(PROCESS.map(([, value]) => value)),
      int(1),
      text('x'),
      NULL,
      TRUE,
      bytes(hex('00')),
    ]) {
      expectFormatError(() => decodeProcess(item), /process: it must be a map/)
    }
  })

  test('may be followed by other bytes, which are ignored', () => {
    expect(decodeBlock(Buffer.concat([map(BLOCK), hex('ff00ff')]))).toEqual(block())
  })

  test('may lie anywhere in their buffer', () => {
    const whole = Buffer.concat([hex('ffff'), map(PROCESS), hex('ffff')])
    expect(decodeProcess(new Uint8Array(whole).subarray(2, whole.length - 2))).toEqual(process())
  })
})

describe('properties', () => {
  const properties = (entries: Parameters<typeof map>[0]) => process({ properties: map(entries) }).properties

  test('keep the last value of a repeated key', () => {
    expect(
      properties([
        ['k', text('1')],
        ['k', text('2')],
      ]),
    ).toEqual({ k: '2' })
  })

  test('may be empty but not null', () => {
    expect(properties([])).toEqual({})
    expectFormatError(() => process({ properties: NULL }), /properties: it must be a map, it is null/)
  })

  test('have text values only', () => {
    expectFormatError(() => properties([['k', int(1)]]), /must be text, it is an integer/)
    expectFormatError(() => properties([['k', NULL]]), /must be text, it is null/)
    expectFormatError(() => properties([[int(1), text('v')]]), /must be text/)
  })

  test('may be text in chunks, keys too', () => {
    expect(properties([[chunkedText('lo', 'ng'), chunkedText('va', '', 'lue')]])).toEqual({ long: 'value' })
  })

  test('named like JavaScript internals are ordinary properties', () => {
    const read = properties([
      ['__proto__', text('1')],
      ['constructor', text('2')],
    ])
    expect(Object.entries(read)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ])
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  })
})

describe('tags', () => {
  test('are skipped before everything', () => {
    const tagged = PROCESS.map(
      ([key, value]) =>
        [tag(99, text(key)), key === 'parent_process_id' ? value : tag(7, tag(2 ** 40, value))] as const,
    )
    expect(decodeProcess(tag(55799, map(tagged)))).toEqual(process())
    expect(process({ start_time: tag(0, text('2024-01-01T00:00:00Z')) })).toEqual(process())
    expect(process({ properties: tag(259, map([['k', text('v')]])) })).toEqual(process())
    expect(payload({ objects: tag(64, bytes(hex('0203'))) })).toEqual(block())
    expect(
      stream({ objects_metadata: tag(1, array([map(replaced(TYPE, { is_reference: tag(1, FALSE) }))])) }),
    ).toEqual(stream({ objects_metadata: array([map(TYPE)]) }))
  })

  test('before null in parent_process_id are refused', () => {
    expectFormatError(() => process({ parent_process_id: tag(7, NULL) }))
    expectFormatError(() => process({ parent_process_id: tag(7, UNDEFINED) }))
  })

  test('before a parent id are skipped', () => {
    expect(process({ parent_process_id: tag(7, text(ID)) }).parentProcessId).toBe(ID)
  })
})

describe('parent_process_id', () => {
  test.each([
    ['null', NULL],
    ['undefined', UNDEFINED],
    ['empty text', text('')],
  ])('as %s means none', (_name, item) => {
    expect(process({ parent_process_id: item }).parentProcessId).toBeUndefined()
  })

  test('that is no UUID is refused', () => {
    expectFormatError(() => process({ parent_process_id: text('none') }), /"none" is no UUID/)
    expectFormatError(() => process({ parent_process_id: int(0) }))
  })
})

describe('integers', () => {
  const ticks = (item: Item) => process({ start_ticks: item }).startTicks

  test('may be of any width', () => {
    for (const width of [1, 2, 4, 8] as const) {
      expect(ticks(int(5, width))).toBe(5n)
      expect(ticks(int(-5, width))).toBe(-5n)
    }
  })

  test('reach over the whole range of i64 and not beyond', () => {
    expect(ticks(int(2n ** 63n - 1n))).toBe(2n ** 63n - 1n)
    expect(ticks(int(-(2n ** 63n)))).toBe(-(2n ** 63n))
    expectFormatError(() => ticks(int(2n ** 63n)), /9223372036854775808 is not from/)
    expectFormatError(() => ticks(int(-(2n ** 63n) - 1n)), /is not from/)
  })

  test('may be bignums that fit, with leading zeros and in chunks', () => {
    expect(ticks(tag(2, bytes(hex('05'))))).toBe(5n)
    expect(ticks(tag(3, bytes(hex('04'))))).toBe(-5n)
    expect(ticks(tag(2, bytes(hex(''))))).toBe(0n)
    expect(ticks(tag(2, bytes(Buffer.concat([Buffer.alloc(100), hex('0100')]))))).toBe(256n)
    expect(ticks(tag(2, chunkedBytes(hex('01'), hex('00'))))).toBe(256n)
    expect(ticks(tag(99, tag(2, bytes(hex('05')))))).toBe(5n)
  })

  test('as bignums that do not fit, or without bytes, are refused', () => {
    expectFormatError(() => ticks(tag(2, bytes(hex('8000000000000000')))), /is not from/)
    expectFormatError(() => ticks(tag(2, bytes(Buffer.alloc(17, 1)))), /more than 16 bytes/)
    expectFormatError(() => ticks(tag(2, int(5))), /bignum without bytes/)
    expectFormatError(() => ticks(tag(2, tag(2, bytes(hex('05'))))), /bignum without bytes/)
  })

  test('encoded as floats are refused, whole numbers too', () => {
    for (const item of [double(1), double(4294967296), hex('f93c00'), hex('fa3f800000')]) {
      expectFormatError(() => ticks(item), /start_ticks: it must be an integer, it is a float/)
      expectFormatError(() => block({ end_ticks: item }), /end_ticks/)
      expectFormatError(() => block({ nb_objects: item }), /nb_objects/)
    }
  })

  test('as text, booleans or null are refused', () => {
    for (const item of [text('1'), TRUE, NULL, array([]), map([]), bytes(hex('01'))]) {
      expectFormatError(() => ticks(item), /must be an integer/)
    }
  })

  test('of nb_objects reach over i32 and not beyond, negative ones included', () => {
    expect(block({ nb_objects: int(2 ** 31 - 1) }).eventCount).toBe(2 ** 31 - 1)
    expect(block({ nb_objects: int(-(2 ** 31)) }).eventCount).toBe(-(2 ** 31))
    expectFormatError(() => block({ nb_objects: int(2 ** 31) }))
    expectFormatError(() => block({ nb_objects: int(-(2 ** 31) - 1) }))
  })

  test('of sizes and offsets are not negative', () => {
    const size = (item: Item) => stream({ objects_metadata: array([map(replaced(TYPE, { size: item }))]) })
    expect(size(int(0)).objectsMetadata[0]!.size).toBe(0)
    expect(size(int(2n ** 64n - 1n)).objectsMetadata[0]!.size).toBe(2 ** 64)
    expectFormatError(() => size(int(-1)))
    expectFormatError(() => size(tag(2, bytes(Buffer.alloc(9, 1)))))
    const offset = (item: Item) =>
      stream({
        objects_metadata: array([
          map(replaced(TYPE, { members: array([map(replaced(MEMBER, { offset: item }))]) })),
        ]),
      })
    expect(offset(int(3)).objectsMetadata[0]!.members[0]!.offset).toBe(3)
    expectFormatError(() => offset(int(-1)))
  })
})

describe('booleans', () => {
  test('are booleans, not 0 and 1', () => {
    const of = (item: Item) =>
      stream({ objects_metadata: array([map(replaced(TYPE, { is_reference: item }))]) })
    expect(of(TRUE).objectsMetadata[0]!.isReference).toBe(true)
    expect(of(FALSE).objectsMetadata[0]!.isReference).toBe(false)
    for (const item of [int(0), int(1), NULL, text('true')]) expectFormatError(() => of(item), /is_reference/)
  })
})

describe('byte fields', () => {
  const read = (item: Item) => Buffer.from(payload({ objects: item }).objects).toString('hex')

  test('may be byte strings of definite or indefinite length', () => {
    expect(read(bytes(hex('0203')))).toBe('0203')
    expect(read(chunkedBytes(hex('02'), hex(''), hex('03')))).toBe('0203')
    expect(read(chunkedBytes())).toBe('')
    expect(read(bytes(hex('')))).toBe('')
  })

  test('may be arrays of integers from 0 to 255, as old producers sent', () => {
    expect(read(array([int(0), int(23), int(24), int(255), int(5, 8), tag(2, bytes(hex('07')))]))).toBe(
      '001718ff0507',
    )
    expect(read(array([int(1), int(200)], true))).toBe('01c8')
    expect(read(array([]))).toBe('')
    expectFormatError(() => read(array([int(256)])))
    expectFormatError(() => read(array([int(-1)])))
    expectFormatError(() => read(array([double(1)])))
    expectFormatError(() => read(array([text('a')])))
  })

  test('as text, map or null are refused', () => {
    for (const item of [text('ab'), chunkedText('ab'), map([]), NULL, int(1), TRUE]) {
      expectFormatError(() => read(item), /objects: it must be bytes/)
    }
  })

  test('of definite length share the memory of the input', () => {
    const input = map(BLOCK)
    const { objects } = decodeBlock(input)
    expect(objects.buffer).toBe(input.buffer)
  })
})

describe('text', () => {
  const exe = (item: Item) => process({ exe: item }).exe

  test('may come in chunks', () => {
    expect(exe(chunkedText('ab', '', 'ż'))).toBe('abż')
  })

  test('of invalid UTF-8 is refused, surrogates in three bytes included', () => {
    for (const invalid of ['ff', 'c3', 'eda080', 'c080', 'f4908080', '61e9']) {
      expectFormatError(() => exe(text(hex(invalid))), /exe: it is not valid UTF-8/)
    }
  })

  test('of invalid UTF-8 in unknown fields is refused too', () => {
    expectFormatError(() => decodeProcess(map([['new', text(hex('ff'))], ...PROCESS])), /not valid UTF-8/)
  })

  test('must be valid chunk by chunk', () => {
    const split = Buffer.concat([hex('7f'), text(hex('c5')), text(hex('bc')), hex('ff')])
    expectFormatError(() => exe(split), /not valid UTF-8/)
  })

  test('keeps a byte order mark, U+0000 and any length: the database decides on those', () => {
    expect(exe(text('\ufeffa\0'))).toBe('\ufeffa\0')
    expect(exe(text('x'.repeat(100_000)))).toHaveLength(100_000)
  })

  test('in chunks of another type, or chunks in chunks, is refused', () => {
    expectFormatError(() => exe(Buffer.concat([hex('7f'), bytes(hex('61')), hex('ff')])), /chunk/)
    expectFormatError(() => exe(Buffer.concat([hex('7f'), chunkedText('a'), hex('ff')])), /chunk/)
  })

  test('cannot be bytes, integers or null', () => {
    for (const item of [bytes(hex('61')), int(1), NULL])
      expectFormatError(() => exe(item), /exe: it must be text/)
  })

  test('of the start time must be of definite length; of block times it need not', () => {
    expectFormatError(
      () => process({ start_time: chunkedText('2024-01-01T00:00:00Z') }),
      /start_time.*indefinite/,
    )
    expect(block({ begin_time: chunkedText('2024-01-01', 'T00:00:00Z') })).toEqual(block())
  })
})

describe('UUIDs', () => {
  test.each([
    ['hyphenated', ID],
    ['in upper case', ID.toUpperCase()],
    ['as 32 digits', ID.replaceAll('-', '')],
    ['in braces', `{${ID}}`],
    ['as a URN', `urn:uuid:${ID}`],
  ])('%s are accepted', (_name, spelling) => {
    expect(block({ block_id: text(spelling) }).blockId).toBe(ID)
    expect(stream({ stream_id: text(spelling) }).streamId).toBe(ID)
    expect(process({ process_id: text(spelling), parent_process_id: text(spelling) })).toMatchObject({
      processId: ID,
      parentProcessId: ID,
    })
  })

  test.each([
    '',
    'x',
    ID.slice(1),
    `${ID}0`,
    ID.replace('-', ''),
    `{${ID}`,
    `{{${ID}}}`,
    ID.replace('0', 'g'),
    ` ${ID}`,
    `${ID}\n`,
  ])('spelled %j are refused', (spelling) => {
    expectFormatError(() => block({ block_id: text(spelling) }), /block_id: .* is no UUID/)
  })

  test('as 16 bytes are refused, with tag 37 or without', () => {
    const raw = bytes(hex(ID))
    expectFormatError(() => block({ block_id: raw }), /block_id: it must be text/)
    expectFormatError(() => block({ block_id: tag(37, raw) }), /block_id: it must be text/)
  })
})

describe('timestamps', () => {
  const start = (time: string) => process({ start_time: text(time) }).startTimeMicros
  const begin = (time: string) => block({ begin_time: text(time) }).beginTimeMicros
  const NEW_YEAR = 1_704_067_200_000_000n

  test.each([
    ['2024-01-01T00:00:00Z', NEW_YEAR],
    ['2024-01-01T00:00:00.123Z', NEW_YEAR + 123_000n],
    ['2024-01-01T00:00:00.123456789+00:00', NEW_YEAR + 123_456n],
    ['2024-01-01T00:00:00.9999999999999Z', NEW_YEAR + 999_999n],
    ['2024-01-01T02:00:00+02:00', NEW_YEAR],
    ['2023-12-31T18:30:00-05:30', NEW_YEAR],
    ['2024-01-01t00:00:00z', NEW_YEAR],
    ['2024-01-01 00:00:00Z', NEW_YEAR],
    ['2023-12-31T23:59:60Z', NEW_YEAR],
    ['2024-02-29T00:00:00Z', NEW_YEAR + 59n * 86_400_000_000n],
    ['1969-12-31T23:59:59.999999Z', -1n],
    ['0000-01-01T00:00:00Z', -62_167_219_200_000_000n],
    ['9999-12-31T23:59:59.999999Z', 253_402_300_799_999_999n],
  ])('%s is accepted everywhere', (time, micros) => {
    expect(start(time)).toBe(micros)
    expect(begin(time)).toBe(micros)
  })

  test.each(['2024-01-01T00:00:00+0000', '2024-01-01T00:00:00 UTC', '2024-01-01 00:00:00 UTC'])(
    '%s is accepted as start time and refused as block time',
    (time) => {
      expect(start(time)).toBe(NEW_YEAR)
      expectFormatError(() => begin(time), /begin_time: .* is no timestamp/)
      expectFormatError(() => block({ end_time: text(time) }), /end_time: .* is no timestamp/)
    },
  )

  test.each([
    '2024-01-01T00:00:00',
    'Mon, 01 Jan 2024 00:00:00 GMT',
    '1704067200',
    '2024-01-01T00:00:00.Z',
    '+002024-01-01T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-01-32T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:61Z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+01:60',
    '2024-01-01T00:00Z',
    '2024-01-01',
    '',
    '2024-01-01T00:00:00Z\n',
    '٢٠٢٤-01-01T00:00:00Z',
  ])('%j is refused everywhere', (time) => {
    expectFormatError(() => start(time), /start_time: .* is no timestamp/)
    expectFormatError(() => begin(time), /begin_time: .* is no timestamp/)
  })

  test('as epoch numbers are refused, with tag 1 or without', () => {
    expectFormatError(
      () => process({ start_time: tag(1, int(1_704_067_200)) }),
      /start_time: it must be text/,
    )
    expectFormatError(() => block({ begin_time: int(1_704_067_200) }), /begin_time: it must be text/)
  })
})

describe('hostile input', () => {
  test('that is empty or ends anywhere is refused', () => {
    for (const [whole, decode] of [
      [map(PROCESS), decodeProcess],
      [map(replaced(STREAM, { objects_metadata: array([map(TYPE)]) })), decodeStream],
      [map(BLOCK), decodeBlock],
    ] as const) {
      for (let length = 0; length < whole.length; length++) {
        expectFormatError(() => decode(whole.subarray(0, length)))
      }
    }
  })

  test.each([
    ['text', 3],
    ['bytes', 2],
    ['an array', 4],
    ['a map', 5],
  ])('that claims %s of huge length is refused without allocating it', (_name, major) => {
    for (const length of [2n ** 32n - 1n, 2n ** 53n, 2n ** 64n - 1n]) {
      const claim = Buffer.concat([
        map([]).subarray(0, 0),
        head(5, 1),
        text('new'),
        head(major, length, 8),
        hex('0000'),
      ])
      expectFormatError(() => decodeProcess(claim))
    }
    const tags = Buffer.concat([head(5, 1), text('tags'), head(4, 2n ** 32n - 1n), text('a')])
    expectFormatError(() => decodeStream(tags), /claims 4294967295 items in 2 bytes/)
    const objects = Buffer.concat([head(5, 1), text('objects'), head(4, 2n ** 63n), hex('0000')])
    expectFormatError(() => block({ payload: objects }), /claims 9223372036854775808 items/)
  })

  test('nested 255 deep in an unknown field is passed over, deeper is refused', () => {
    const nested = (depth: number, start: string, end: string) =>
      Buffer.concat([hex(start.repeat(depth)), hex('00'), hex(end.repeat(depth))])
    for (const [start, end] of [
      ['81', ''],
      ['9f', 'ff'],
      ['a100', ''],
      ['c1', ''],
    ] as const) {
      expect(decodeProcess(map([['new', nested(255, start, end)], ...PROCESS]))).toEqual(process())
      for (const depth of [256, 1_000_000]) {
        expectFormatError(
          () => decodeProcess(map([['new', nested(depth, start, end)], ...PROCESS])),
          /more than 256 deep/,
        )
      }
    }
  })

  test('of a million tags in a row is read in no time', () => {
    const tags = Buffer.alloc(1_000_000, 0xc1)
    expect(process({ exe: Buffer.concat([tags, text('exe')]) })).toEqual(process())
  })

  test('of reserved lengths, stray breaks and unknown simple values is refused', () => {
    for (const item of ['1c', '5d', '7e', '1f', '3f', 'df', 'ff', 'f0', 'f820', 'e0']) {
      expectFormatError(() => decodeProcess(map([['new', hex(item)], ...PROCESS])))
      expectFormatError(() => process({ exe: hex(item) }))
      expectFormatError(() => process({ start_ticks: hex(item) }))
    }
  })

  test('of a definite map with a break inside is refused', () => {
    expectFormatError(() => decodeProcess(Buffer.concat([head(5, 2), text('exe'), text('x'), hex('ff')])))
  })
})
