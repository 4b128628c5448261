import { describe, expect, test } from 'vitest'
import { type DecodedLogEntry, readLogEntries } from '../../../src/telemetry/decode/log-entries.ts'
import { fixedType } from '../../../src/transit/reflection.ts'
import { expectFormatError } from '../../transit/format-errors.ts'
import { hex, type Section, section } from '../../transit/section.ts'
import { LOG_TYPES, objectsOf, strings, TICKS } from '../sample-blocks.ts'

/** Strings 1 to 4 and a descriptor 10 with message 1, target 2, level 4. */
function dependencies(...properties: readonly (readonly [string, string])[]): Section {
  const section_ = strings('static {}', 'app', 'mod', 'main.ts').u8(1).u64(10, 1, 2, 3, 4).u32(42).u32(4)
  for (const [index, [key, value]] of properties.entries()) {
    section_
      .dynamic(
        0,
        section()
          .u64(100 + 2 * index)
          .text(key),
      )
      .dynamic(
        0,
        section()
          .u64(101 + 2 * index)
          .text(value),
      )
  }
  const set = section().u64(20).u32(properties.length)
  for (let i = 0; i < 2 * properties.length; i++) set.u64(100 + i)
  return section_.dynamic(2, set)
}

function read(objects: Section, deps = dependencies()): DecodedLogEntry[] {
  return [...readLogEntries(objectsOf(LOG_TYPES, deps, objects), TICKS)]
}

const PLAIN = { timeNs: 7n, level: 4, target: 'app', msg: 'static {}', properties: {} }

describe('every log event type', () => {
  test('LogStaticStrEvent takes its message, target and level from the descriptor', () => {
    expect(read(section().u8(0).u64(10, 7))).toEqual([PLAIN])
  })

  test('LogStringEventV2 brings its message', () => {
    expect(read(section().dynamic(1, section().u64(10, 7).text('m')))).toEqual([{ ...PLAIN, msg: 'm' }])
  })

  test('TaggedLogString brings properties too', () => {
    const objects = section().dynamic(2, section().u64(10, 20, 7).text('m'))
    expect(read(objects, dependencies(['k', 'v']))).toEqual([{ ...PLAIN, msg: 'm', properties: { k: 'v' } }])
  })

  test('LogStaticStrInteropEvent brings level, target and message by reference', () => {
    expect(read(section().u8(6).u64(7).u32(3).u64(2, 1))).toEqual([{ ...PLAIN, level: 3 }])
  })

  test('LogStringInteropEventV3 brings level, target and message', () => {
    expect(read(section().dynamic(3, section().u64(7).u8(3).u64(2).text('m')))).toEqual([
      { ...PLAIN, level: 3, msg: 'm' },
    ])
  })

  test('TaggedLogInteropEvent brings properties too', () => {
    const objects = section().dynamic(4, section().u64(7).u8(3).u64(2, 20).text('m'))
    expect(read(objects, dependencies(['k', 'v']))).toEqual([
      { ...PLAIN, level: 3, msg: 'm', properties: { k: 'v' } },
    ])
  })

  test('LogStaticStrInteropEventV2 is read as the first version', () => {
    expect(read(section().u8(10).u64(7).u32(3).u64(2, 1))).toEqual([{ ...PLAIN, level: 3 }])
  })

  test('TaggedLogStaticStrEvent takes its message from the descriptor, as it is', () => {
    expect(read(section().u8(11).u64(10, 20, 7), dependencies(['', 'v']))).toEqual([
      { ...PLAIN, properties: { '': 'v' } },
    ])
  })

  test('TaggedLogTemplateEvent renders the message of the descriptor with its properties', () => {
    expect(read(section().u8(12).u64(10, 20, 7), dependencies(['', 'v']))).toEqual([
      { ...PLAIN, msg: 'static v', properties: { '': 'v' } },
    ])
  })

  test('LogStringEvent, legacy, has the rest of the record as message', () => {
    expect(read(section().dynamic(7, section().u64(10, 7).raw('zażółć')))).toEqual([
      { ...PLAIN, msg: 'zażółć' },
    ])
  })

  test('LogStringInteropEventV2, legacy, has a wide level, a StringId and the rest as message', () => {
    const objects = section().dynamic(8, section().u64(7).u32(300).u64(2, 0).raw('m'))
    expect(read(objects)).toEqual([{ ...PLAIN, level: 300, msg: 'm' }])
  })
})

test('messages of legacy events must be valid UTF-8, those of others are repaired', () => {
  expectFormatError(() => read(section().dynamic(7, section().u64(10, 7).raw(hex('e9')))), /not valid UTF-8/)
  expect(read(section().dynamic(1, section().u64(10, 7).text(hex('e9'))))[0]!.msg).toBe('\ufffd')
})

test('bytes after the message are ignored', () => {
  expect(read(section().dynamic(1, section().u64(10, 7).text('m').raw('more')))[0]!.msg).toBe('m')
})

test('the target of interop events takes as many bytes as StaticStringRef has in the metadata', () => {
  const wide = LOG_TYPES.objectsMetadata.map((type) =>
    type.name === 'StaticStringRef' ? { ...type, size: 16 } : type,
  )
  const objects = section().dynamic(3, section().u64(7).u8(3).u64(2).u32(3).u8(2, 0, 0, 0).text('m'))
  const types = { ...LOG_TYPES, objectsMetadata: wide }
  expect([...readLogEntries(objectsOf(types, dependencies(), objects), TICKS)][0]).toMatchObject({
    target: 'app',
    msg: 'm',
  })
})

test('interop events need StaticStringRef in the metadata', () => {
  const types = { ...LOG_TYPES, objectsMetadata: LOG_TYPES.objectsMetadata.slice(0, 5) }
  const objects = section().dynamic(3, section().u64(7).u8(3).u64(2).text('m'))
  expectFormatError(
    () => [...readLogEntries(objectsOf(types, dependencies(), objects), TICKS)],
    /type StaticStringRef: the metadata does not list it/,
  )
})

test.each([
  ['a message longer than the record', section().dynamic(1, section().u64(10, 7).u8(2).u32(5).raw('m'))],
  ['a record without room for the time', section().dynamic(1, section().u64(10))],
  ['a descriptor that is not in the block', section().dynamic(1, section().u64(11, 7).text('m'))],
  ['a descriptor that is a string', section().dynamic(1, section().u64(1, 7).text('m'))],
  ['properties that are not in the block', section().dynamic(2, section().u64(10, 21, 7).text('m'))],
  ['properties that are a string', section().dynamic(2, section().u64(10, 1, 7).text('m'))],
  ['properties of a template that are a record', section().u8(12).u64(10, 10, 7)],
  ['a target that is a record', section().dynamic(3, section().u64(7).u8(3).u64(10).text('m'))],
])('%s makes the block unreadable', (_name, objects) => {
  expectFormatError(() => read(objects))
})

test('a level of any 32 bits passes through as a signed number', () => {
  expect(read(section().u8(6).u64(7).u32(0xffff_ffff).u64(2, 1))[0]!.level).toBe(-1)
})

test('levels and times may be stored in the types the reference accepts, and in no others', () => {
  const with_ = (level: 'u8' | 'u32' | 'u64' | 'f64', time: 'i64' | 'u64' | 'f64') => ({
    dependenciesMetadata: LOG_TYPES.dependenciesMetadata,
    objectsMetadata: [fixedType('LogStaticStrInteropEvent', { target: 'ref', msg: 'ref', time, level })],
  })
  const objects = section().u8(0).u64(2, 1, 7)
  const levels = { u8: section().u8(3), u32: section().u32(3), u64: section().u64(3), f64: section().f64(3) }
  const entry = (level: keyof typeof levels, time: 'i64' | 'u64' | 'f64') =>
    [
      ...readLogEntries(
        objectsOf(
          with_(level, time),
          dependencies(),
          section().raw(objects.done()).raw(levels[level].done()),
        ),
        TICKS,
      ),
    ][0]
  expect(entry('u8', 'i64')).toMatchObject({ level: 3, timeNs: 7n })
  expect(entry('u32', 'u64')).toMatchObject({ level: 3, timeNs: 7n })
  expectFormatError(() => entry('u64', 'i64'), /member level of LogStaticStrInteropEvent as u32: it is u64/)
  expectFormatError(() => entry('f64', 'i64'), /as u32: it is f64/)
  expectFormatError(() => entry('u32', 'f64'), /member time of LogStaticStrInteropEvent as i64: it is f64/)
})

describe.each([
  ['TaggedLogString', section().dynamic(2, section().u64(10, 20, 7).text('m'))],
  ['TaggedLogStaticStrEvent', section().u8(11).u64(10, 20, 7)],
  ['TaggedLogTemplateEvent', section().u8(12).u64(10, 20, 7)],
])('properties of %s', (_type, objects) => {
  const tagged = (...properties: readonly (readonly [string, string])[]) =>
    read(objects, dependencies(...properties))[0]!

  test('named target replace the target and stay properties', () => {
    expect(tagged(['target', 'other'])).toMatchObject({ target: 'other', properties: { target: 'other' } })
  })

  test.each([
    ['fatal', 1],
    ['error', 2],
    ['warning', 3],
    ['info', 4],
    ['debug', 5],
    ['trace', 6],
  ])('named level with the value %s replace the level', (name, level) => {
    expect(tagged(['level', name])).toMatchObject({ level, properties: { level: name } })
  })

  test.each(['warn', 'WARN', 'Info', 'info ', '', '3', 'off'])(
    'named level with the value %j destroy the whole block',
    (value) => {
      expectFormatError(
        () => tagged(['level', value]),
        /property level: .* is none of fatal, error, warning, info/,
      )
    },
  )

  test('are told apart by case', () => {
    expect(tagged(['Level', 'warn'], ['Target', 'x'])).toMatchObject({ level: 4, target: 'app' })
  })

  test('that repeat a key keep the last value, also as override', () => {
    expect(tagged(['target', 'a'], ['k', '1'], ['target', 'b'], ['k', '2'])).toMatchObject({
      target: 'b',
      properties: { target: 'b', k: '2' },
    })
  })

  test('named like JavaScript internals are ordinary properties', () => {
    const { properties } = tagged(['__proto__', 'x'])
    expect(Object.entries(properties)).toEqual([['__proto__', 'x']])
  })
})

test('properties of TaggedLogInteropEvent override nothing', () => {
  const objects = section().dynamic(4, section().u64(7).u8(3).u64(2, 20).text('m'))
  expect(read(objects, dependencies(['level', 'warn'], ['target', 'x']))[0]).toMatchObject({
    level: 3,
    target: 'app',
  })
})

test('events with the same property set share one object', () => {
  const objects = section()
    .dynamic(2, section().u64(10, 20, 7).text('m'))
    .dynamic(4, section().u64(7).u8(3).u64(2, 20).text('m'))
  const [first, second] = read(objects, dependencies(['k', 'v']))
  expect(first!.properties).toBe(second!.properties)
  expect(Object.isFrozen(first!.properties)).toBe(true)
})

test('events of other types are passed over and reported with their index', () => {
  const types = {
    ...LOG_TYPES,
    objectsMetadata: [...LOG_TYPES.objectsMetadata, fixedType('Odd', { v: 'u8' })],
  }
  const odd = types.objectsMetadata.length - 1
  const objects = section().u8(odd, 1).u8(0).u64(10, 7).u8(odd, 2)
  const unknown: [string, number][] = []
  const onUnknown = (name: string, index: number) => unknown.push([name, index])
  expect([...readLogEntries(objectsOf(types, dependencies(), objects), TICKS, { onUnknown })]).toEqual([
    PLAIN,
  ])
  expect(unknown).toEqual([
    ['Odd', 0],
    ['Odd', 2],
  ])
})
