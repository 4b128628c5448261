import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeSpoolFile,
  encodeSpoolFile,
  parseSpoolFileName,
  spoolFileName,
} from '../../../src/sink/spool/spool-file.ts'

const ID = 'b4a0e4b4-0000-4000-8000-000000000000'
const record = {
  processId: ID,
  streamId: ID.replace('b', 'c'),
  process: Buffer.from('process'),
  stream: Buffer.from('stream!'),
  block: Buffer.from('the block'),
}

test('a spool file holds three bodies and the ids they belong to', () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.uint8Array(),
      fc.uint8Array({ maxLength: 10_000 }),
      (process, stream, block) => {
        const decoded = decodeSpoolFile(encodeSpoolFile({ ...record, process, stream, block }))
        expect(decoded).toEqual({
          ...record,
          process: Buffer.from(process),
          stream: Buffer.from(stream),
          block: Buffer.from(block),
        })
      },
    ),
  )
})

test('a file cut at any length, or with any bit flipped, is refused', () => {
  const file = encodeSpoolFile(record)
  for (let length = 0; length < file.length; length++) {
    expect(() => decodeSpoolFile(file.subarray(0, length))).toThrow(
      expect.objectContaining({ code: 'ERR_TELEMETRY_FORMAT' }),
    )
  }
  for (let bit = 0; bit < file.length * 8; bit++) {
    const flipped = Buffer.from(file)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    expect(() => decodeSpoolFile(flipped)).toThrow(expect.objectContaining({ code: 'ERR_TELEMETRY_FORMAT' }))
  }
  expect(() => decodeSpoolFile(Buffer.concat([file, Buffer.alloc(1)]))).toThrow('spool file')
})

test('the name of a file says what is in it, and names sort by age', () => {
  const names = Array.from({ length: 100 }, () =>
    spoolFileName({ kind: 'cpu', events: 12, blockId: ID }, 1_700_000_000_000.5),
  )
  expect([...names].sort()).toEqual(names)
  expect(parseSpoolFileName(names[0]!)).toEqual({ kind: 'cpu', events: 12, blockId: ID })
  for (const name of [
    'lock',
    'x.block',
    names[0]!.replace('cpu', 'net'),
    `${names[0]}.tmp`,
    `../${names[0]}`,
  ]) {
    expect(parseSpoolFileName(name)).toBeUndefined()
  }
})
