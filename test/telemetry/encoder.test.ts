import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { decode } from 'cborg'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { SealedBlock } from '../../src/model/event-sink.ts'
import { decodeBlock, decodeProcess, decodeStream } from '../../src/telemetry/decode/decoder.ts'
import { createTelemetryEncoder, type TelemetryEncoder } from '../../src/telemetry/encoder.ts'
import { decompressFrame } from '../../src/telemetry/lz4/lz4-frame.ts'
import { program } from '../support/program.ts'
import { LOG_BLOCK, LOG_DEPENDENCIES, LOG_OBJECTS, LOG_STREAM, PROCESS } from './worked-examples.ts'

let encoder: TelemetryEncoder
beforeAll(async () => {
  encoder = createTelemetryEncoder()
})

const BOTH = ['encodeBlock', 'encodeBlockSync'] as const

describe('a process', () => {
  const roundTrip = (changes: Partial<typeof PROCESS>) =>
    decodeProcess(encoder.encodeProcess({ ...PROCESS, ...changes }))

  test('with a parent is read back', () => {
    const parentProcessId = '01234567-89ab-4cde-8f01-23456789abcd'
    expect(roundTrip({ parentProcessId })).toEqual({ ...PROCESS, parentProcessId })
  })

  test('has every description field cut to 255 characters, counted as the database counts', () => {
    for (const field of ['exe', 'username', 'realname', 'computer', 'distro', 'cpuBrand'] as const) {
      expect(roundTrip({ [field]: 'x'.repeat(300) })[field]).toBe('x'.repeat(255))
      expect(roundTrip({ [field]: 'x'.repeat(255) })[field]).toBe('x'.repeat(255))
      // a turtle is one character of two UTF-16 units
      expect(roundTrip({ [field]: '🐢'.repeat(300) })[field]).toBe('🐢'.repeat(255))
      expect(roundTrip({ [field]: `x${'🐢'.repeat(254)}` })[field]).toBe(`x${'🐢'.repeat(254)}`)
    }
  })

  test('has NUL characters removed before its fields are cut', () => {
    expect(roundTrip({ computer: `\0a\0${'b'.repeat(254)}\0` }).computer).toBe(`a${'b'.repeat(254)}`)
    expect(roundTrip({ properties: { 'k\0ey': 'va\0lue' } }).properties).toEqual({ key: 'value' })
  })

  test('has lone surrogates replaced', () => {
    expect(roundTrip({ exe: 'a\ud800b', properties: { '\udc00': '\ud83d' } })).toMatchObject({
      exe: 'a\ufffdb',
      properties: { '\ufffd': '\ufffd' },
    })
  })

  test('keeps the last of the properties whose keys become equal', () => {
    expect(roundTrip({ properties: { 'k\0': '1', k: '2' } }).properties).toEqual({ k: '2' })
    expect(roundTrip({ properties: { k: '1', 'k\0': '2' } }).properties).toEqual({ k: '2' })
  })

  test('keeps properties of any length and any name', () => {
    const properties = { long: 'x'.repeat(100_000), ['__proto__']: 'x', '1': 'y', '': '' }
    expect(Object.entries(roundTrip({ properties }).properties).sort()).toEqual(
      Object.entries(properties).sort(),
    )
  })

  test('has ticks of the whole range, as integers', () => {
    for (const startTicks of [0n, -1n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(roundTrip({ startTicks }).startTicks).toBe(startTicks)
    }
  })

  test('has a start time of whole microseconds', () => {
    for (const startTimeMicros of [0n, 1n, 999_999n, 1_704_067_200_123_456n, -1n]) {
      expect(roundTrip({ startTimeMicros }).startTimeMicros).toBe(startTimeMicros)
    }
    const { start_time } = decode(encoder.encodeProcess(PROCESS)) as { start_time: string }
    expect(start_time).toBe('2024-01-01T00:00:00.000000Z')
  })
})

describe('a stream', () => {
  test('has its kind as its only tag, and its properties', () => {
    const properties = { 'thread-id': '1', 'a\0': '\ud800' }
    for (const kind of ['log', 'metrics', 'cpu', 'image'] as const) {
      const stream = decodeStream(encoder.encodeStream({ ...LOG_STREAM, kind, properties }))
      expect(stream.tags).toEqual([kind])
      expect(stream.properties).toEqual({ 'thread-id': '1', a: '\ufffd' })
    }
  })

  test('has the names of the wire in its metadata', () => {
    const raw = decode(encoder.encodeStream(LOG_STREAM)) as Record<string, unknown>
    expect(Object.keys(raw)).toEqual([
      'process_id',
      'stream_id',
      'dependencies_metadata',
      'objects_metadata',
      'tags',
      'properties',
    ])
    expect((raw.objects_metadata as unknown[])[0]).toEqual({
      name: 'LogStaticStrEvent',
      size: 16,
      members: [
        { name: 'desc', type_name: 'u64', offset: 0, size: 8, is_reference: true },
        { name: 'time', type_name: 'i64', offset: 8, size: 8, is_reference: false },
      ],
      is_reference: false,
    })
  })
})

describe.each(BOTH)('%s', (method) => {
  const encode = async (changes: Partial<SealedBlock> = {}, process = PROCESS) =>
    decodeBlock(await encoder[method]({ ...LOG_BLOCK, ...changes }, process))

  test('writes what is read back', async () => {
    const { dependencies, objects, ...fields } = await encode()
    expect(fields).toEqual({
      blockId: LOG_BLOCK.blockId,
      streamId: LOG_STREAM.streamId,
      processId: PROCESS.processId,
      beginTimeMicros: PROCESS.startTimeMicros,
      endTimeMicros: PROCESS.startTimeMicros + 1000n,
      beginTicks: 0n,
      endTicks: 1_000_000n,
      objectOffset: 0n,
      eventCount: 2,
    })
    expect(decompressFrame(dependencies)).toEqual(LOG_DEPENDENCIES)
    expect(decompressFrame(objects)).toEqual(LOG_OBJECTS)
  })

  test('writes an empty section as the empty frame', async () => {
    const { dependencies } = await encode({ dependencies: new Uint8Array(0) })
    expect(Buffer.from(dependencies).toString('hex')).toBe('04224d1860408200000000')
  })

  test('brackets the events with times rounded outwards to whole microseconds', async () => {
    const at = (begin: bigint, end: bigint) =>
      encode({ beginTicks: 5_000_000_000n + begin, endTicks: 5_000_000_000n + end })
    const start = PROCESS.startTimeMicros
    expect(await at(1_999n, 2_001n)).toMatchObject({ beginTimeMicros: start + 1n, endTimeMicros: start + 3n })
    expect(await at(2_000n, 2_000n)).toMatchObject({ beginTimeMicros: start + 2n, endTimeMicros: start + 2n })
    expect(await at(-1n, -1n)).toMatchObject({ beginTimeMicros: start - 1n, endTimeMicros: start })
  })

  test('writes ticks relative to the start of the process, of any size', async () => {
    const far = 2n ** 60n + 1n
    const block = await encode({ beginTicks: 5_000_000_000n + far, endTicks: 5_000_000_000n + far + 1n })
    expect(block.beginTicks).toBe(far)
    expect(block.endTicks).toBe(far + 1n)
  })

  test('writes counts as integers, however large', async () => {
    const { objectOffset, eventCount } = await encode({ objectOffset: 2 ** 53 - 1, eventCount: 2 ** 31 - 1 })
    expect(objectOffset).toBe(2n ** 53n - 1n)
    expect(eventCount).toBe(2 ** 31 - 1)
  })

  test('takes sections that lie anywhere in their buffer', async () => {
    const whole = Buffer.concat([Buffer.alloc(10, 1), LOG_OBJECTS, Buffer.alloc(10, 2)])
    const objects = new Uint8Array(whole.buffer, whole.byteOffset + 10, LOG_OBJECTS.length)
    expect(decompressFrame((await encode({ objects })).objects)).toEqual(LOG_OBJECTS)
  })

  test('writes large sections', async () => {
    const objects = Buffer.alloc(11 * 1024 * 1024)
    for (let i = 0; i < objects.length; i += 7) objects[i] = i
    expect(Buffer.compare(decompressFrame((await encode({ objects })).objects), objects)).toBe(0)
  })

  test('hands out bytes of their own', async () => {
    const first = await encoder[method](LOG_BLOCK, PROCESS)
    const copy = Buffer.from(first)
    await encoder[method]({ ...LOG_BLOCK, eventCount: 7 }, PROCESS)
    expect(Buffer.compare(first, copy)).toBe(0)
  })

  test('writes no floats and no tags', async () => {
    for (const changes of [{}, { objectOffset: 2 ** 40, eventCount: 1e9 }]) {
      const bytes = await encoder[method]({ ...LOG_BLOCK, ...changes }, PROCESS)
      // cborg's decoder refuses tags it does not know; floats would come out as numbers that the decoder above refuses
      const raw = decode(bytes) as { payload: Record<string, unknown> }
      expect(Object.values(raw.payload).every((value) => value instanceof Uint8Array)).toBe(true)
    }
  })
})

test('encodeBlock compresses', async () => {
  const objects = Buffer.alloc(100_000, 'the same again ')
  const compressed = await encoder.encodeBlock({ ...LOG_BLOCK, objects }, PROCESS)
  expect(compressed.length).toBeLessThan(5000)
  expect(await encoder.compressionError).toBeUndefined()
})

test('encodeBlock does not load the native library for what is small', async () => {
  let loads = 0
  const small = createTelemetryEncoder(async () => {
    loads += 1
    return new Error('not asked for')
  })
  const objects = Buffer.alloc(4095, 'the same again ')
  const bytes = await small.encodeBlock({ ...LOG_BLOCK, objects }, PROCESS)
  expect(Buffer.from(decompressFrame(decodeBlock(bytes).objects))).toEqual(objects)
  expect(loads).toBe(0)
  await small.encodeBlock({ ...LOG_BLOCK, objects: Buffer.alloc(4096) }, PROCESS)
  expect(loads).toBe(1)
  expect((await small.compressionError)?.message).toBe('not asked for')
})

test.each([50, 100_000])('encodeBlock protects the content by a checksum, of %s bytes', async (size) => {
  const content = Buffer.alloc(size, 'the same again ')
  const bytes = Buffer.from(await encoder.encodeBlock({ ...LOG_BLOCK, objects: content }, PROCESS))
  const { objects } = decodeBlock(bytes)
  const at = bytes.indexOf(objects)
  bytes[at + 20]! ^= 1
  expect(() => decompressFrame(decodeBlock(bytes).objects)).toThrow(/checksum/)
})

test('what is written for any text and any numbers is read back, repaired', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  )
  const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  fc.assert(
    fc.property(
      anyText,
      fc.dictionary(anyText, anyText),
      i64,
      fc.bigInt({ min: 0n, max: 2n ** 51n }),
      (text, properties, startTicks, startTimeMicros) => {
        const info = { ...PROCESS, exe: text, properties, startTicks, startTimeMicros }
        const read = decodeProcess(encoder.encodeProcess(info))
        expect(read).toMatchObject({ startTicks, startTimeMicros })
        expect(read.exe).toBe(
          [...Buffer.from(text, 'utf8').toString('utf8').replaceAll('\0', '')].slice(0, 255).join(''),
        )
        expect(JSON.stringify(read.properties)).not.toContain('\\u0000')
      },
    ),
    { numRuns: 200 },
  )
})

test('without the native library blocks are sent uncompressed, and the reason can be told', async () => {
  const script = program(new URL('./encode-one-block.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script], {
    // the library then looks for its binary nowhere else
    env: { ...process.env, NAPI_RS_NATIVE_LIBRARY_PATH: path.join(tmpdir(), 'there-is-no-such-file.node') },
  })
  const { error, bytes } = JSON.parse(stdout) as { error: string; bytes: number }
  expect(error).toMatch(/native binding/)
  expect(bytes).toBeGreaterThan(100_000)
})
