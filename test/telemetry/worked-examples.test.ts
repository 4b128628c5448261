import { beforeAll, describe, expect, test } from 'vitest'
import { decodeBlock, decodeProcess, decodeStream } from '../../src/telemetry/decode/decoder.ts'
import { EVENT_READERS } from '../../src/telemetry/decode/event-readers.ts'
import { readImages } from '../../src/telemetry/decode/images.ts'
import { readLogEntries } from '../../src/telemetry/decode/log-entries.ts'
import { readMeasures } from '../../src/telemetry/decode/measures.ts'
import { TickConverter } from '../../src/telemetry/decode/tick-converter.ts'
import { createTelemetryEncoder, type TelemetryEncoder } from '../../src/telemetry/encoder.ts'
import { decompressFrame, storedFrame } from '../../src/telemetry/lz4/lz4-frame.ts'
import { BlockParser } from '../../src/transit/parser.ts'
import { hex } from '../transit/section.ts'
import {
  IMAGE_OBJECTS,
  IMAGE_TYPES,
  LOG_BLOCK,
  LOG_BLOCK_CBOR,
  LOG_DEPENDENCIES,
  LOG_DEPENDENCIES_RUST_FRAME,
  LOG_OBJECTS,
  LOG_OBJECTS_RUST_FRAME,
  LOG_STREAM,
  METRICS_DEPENDENCIES,
  METRICS_OBJECTS,
  METRICS_TYPES,
  MORE_LOG_DEPENDENCIES,
  MORE_LOG_OBJECTS,
  PROCESS,
  PROCESS_CBOR,
} from './worked-examples.ts'

let encoder: TelemetryEncoder
beforeAll(async () => {
  encoder = createTelemetryEncoder()
})

const ticks = new TickConverter(PROCESS)

describe('the process example', () => {
  test('is written byte for byte', () => {
    expect(PROCESS_CBOR).toHaveLength(246)
    expect(Buffer.from(encoder.encodeProcess(PROCESS)).toString('hex')).toBe(PROCESS_CBOR.toString('hex'))
  })

  test('is read back', () => {
    expect(decodeProcess(PROCESS_CBOR)).toEqual(PROCESS)
  })
})

describe('the log block example', () => {
  const parser = new BlockParser(LOG_STREAM, EVENT_READERS)

  test('has sections of 118 and 45 bytes, whose rows are read', () => {
    expect(LOG_DEPENDENCIES).toHaveLength(118)
    expect(LOG_OBJECTS).toHaveLength(45)
    expect([...readLogEntries(parser.parse(LOG_DEPENDENCIES, LOG_OBJECTS), ticks)]).toEqual([
      { timeNs: 1_704_067_200_000_001_000n, level: 4, target: 'app', msg: 'hello', properties: {} },
      { timeNs: 1_704_067_200_000_002_500n, level: 4, target: 'app', msg: 'hi', properties: {} },
    ])
  })

  test('goes on with a property set and three more events', () => {
    expect(MORE_LOG_DEPENDENCIES).toHaveLength(76)
    expect(MORE_LOG_OBJECTS).toHaveLength(99)
    const dependencies = Buffer.concat([LOG_DEPENDENCIES, MORE_LOG_DEPENDENCIES])
    const objects = Buffer.concat([LOG_OBJECTS, MORE_LOG_OBJECTS])
    expect([...readLogEntries(parser.parse(dependencies, objects), ticks)].slice(2)).toEqual([
      {
        timeNs: 1_704_067_200_000_003_000n,
        level: 4,
        target: 'app',
        msg: 't',
        properties: { env: 'prod' },
      },
      { timeNs: 1_704_067_200_000_003_001n, level: 3, target: 'app', msg: 'w', properties: {} },
      {
        timeNs: 1_704_067_200_000_003_002n,
        level: 2,
        target: 'app',
        msg: 'e',
        properties: { env: 'prod' },
      },
    ])
  })

  test('is framed without compression byte for byte', () => {
    const prefix = '04224d18604082'
    expect(Buffer.from(storedFrame(LOG_DEPENDENCIES)).toString('hex')).toBe(
      `${prefix}76000080${LOG_DEPENDENCIES.toString('hex')}00000000`,
    )
    expect(Buffer.from(storedFrame(LOG_OBJECTS)).toString('hex')).toBe(
      `${prefix}2d000080${LOG_OBJECTS.toString('hex')}00000000`,
    )
    expect(storedFrame(LOG_DEPENDENCIES)).toHaveLength(133)
    expect(storedFrame(LOG_OBJECTS)).toHaveLength(60)
  })

  test('is read from the frames of the Rust compressor', () => {
    expect(LOG_DEPENDENCIES_RUST_FRAME).toHaveLength(101)
    expect(LOG_OBJECTS_RUST_FRAME).toHaveLength(57)
    expect(decompressFrame(LOG_DEPENDENCIES_RUST_FRAME)).toEqual(LOG_DEPENDENCIES)
    expect(decompressFrame(LOG_OBJECTS_RUST_FRAME)).toEqual(LOG_OBJECTS)
  })

  test('is written byte for byte as the body of insert_block', () => {
    expect(LOG_BLOCK_CBOR).toHaveLength(505)
    const bytes = encoder.encodeBlockSync(LOG_BLOCK, PROCESS)
    expect(Buffer.from(bytes).toString('hex')).toBe(LOG_BLOCK_CBOR.toString('hex'))
  })

  test('is read back from the body of insert_block', () => {
    expect(decodeBlock(LOG_BLOCK_CBOR)).toEqual({
      blockId: '00000000-0000-4000-8000-00000000000b',
      streamId: '00000000-0000-4000-8000-00000000000a',
      processId: '00000000-0000-4000-8000-000000000001',
      beginTimeMicros: 1_704_067_200_000_000n,
      endTimeMicros: 1_704_067_200_001_000n,
      beginTicks: 0n,
      endTicks: 1_000_000n,
      dependencies: storedFrame(LOG_DEPENDENCIES),
      objects: storedFrame(LOG_OBJECTS),
      objectOffset: 0n,
      eventCount: 2,
    })
  })

  test('has a stream whose metadata survives encoding, in order', () => {
    const { kind, ...stream } = LOG_STREAM
    expect(decodeStream(encoder.encodeStream(LOG_STREAM))).toEqual({ ...stream, tags: [kind] })
  })
})

describe('the metrics block example', () => {
  test('is read with the metadata order and the string type of the Rust SDK', () => {
    expect(METRICS_DEPENDENCIES).toHaveLength(123)
    expect(METRICS_OBJECTS).toHaveLength(25)
    const parser = new BlockParser(METRICS_TYPES, EVENT_READERS)
    expect([...readMeasures(parser.parse(METRICS_DEPENDENCIES, METRICS_OBJECTS), ticks)]).toEqual([
      {
        timeNs: 1_704_067_200_000_003_000n,
        name: 'frame_time',
        unit: 'ms',
        target: 'app',
        value: 16.5,
        properties: {},
      },
    ])
  })
})

describe('the image example', () => {
  test('is read, its dependencies an empty frame', () => {
    expect(IMAGE_OBJECTS).toHaveLength(38)
    const dependencies = decompressFrame(hex('04224d18 60 40 82 00000000'))
    const parser = new BlockParser(IMAGE_TYPES, EVENT_READERS)
    expect([...readImages(parser.parse(dependencies, IMAGE_OBJECTS), ticks)]).toEqual([
      { timeNs: 1_704_067_200_000_000_001n, name: 'shot', format: 'png', data: hex('89504e47') },
    ])
  })
})
