import fc from 'fast-check'
import lz4 from 'lz4-napi'
import { describe, expect, test } from 'vitest'
import { decompressFrame, storedFrame } from '../../../src/telemetry/lz4/lz4-frame.ts'
import { xxh32 } from '../../../src/telemetry/lz4/xxh32.ts'
import { MUTATION_SCALE } from '../../support/mutation-scale.ts'
import { expectFormatError, ignoreFormatErrors } from '../../transit/format-errors.ts'
import { hex, section } from '../../transit/section.ts'
import { LOG_DEPENDENCIES_RUST_FRAME } from '../worked-examples.ts'

const KIB_64 = 65_536
const MIB_4 = 4 * 1024 * 1024

interface FrameOptions {
  readonly linked?: boolean
  readonly blockChecksums?: boolean
  readonly contentChecksum?: Uint8Array
  readonly contentSize?: number | bigint
  /** 4 to 7 for 64 KiB to 4 MiB. */
  readonly sizeCode?: number
  readonly endMark?: boolean
}

interface Block {
  readonly stored: boolean
  readonly bytes: Uint8Array
}

/** Builds a frame with every option of the format. */
function frame(blocks: readonly Block[], options: FrameOptions = {}): Buffer {
  const { linked = false, blockChecksums = false, contentChecksum, contentSize, sizeCode = 4 } = options
  const flags =
    0b0100_0000 |
    (linked ? 0 : 0b10_0000) |
    (blockChecksums ? 0b1_0000 : 0) |
    (contentSize === undefined ? 0 : 0b1000) |
    (contentChecksum === undefined ? 0 : 0b100)
  const descriptor = section().u8(flags, sizeCode << 4)
  if (contentSize !== undefined) descriptor.u64(contentSize)
  const out = section()
    .raw(hex('04224d18'))
    .raw(descriptor.done())
    .u8((xxh32(descriptor.done()) >> 8) & 0xff)
  for (const { stored, bytes } of blocks) {
    out.u32(stored ? bytes.length + 0x8000_0000 : bytes.length).raw(bytes)
    if (blockChecksums) out.u32(xxh32(bytes))
  }
  if (options.endMark !== false) out.u32(0)
  if (contentChecksum !== undefined) out.u32(xxh32(contentChecksum))
  return out.done()
}

const stored = (bytes: Uint8Array | string): Block => ({ stored: true, bytes: Buffer.from(bytes) })
/** Literals only. */
const literals = (text: string): Block => {
  const bytes = Buffer.from(text)
  return {
    stored: false,
    bytes: Buffer.concat([hex((bytes.length << 4).toString(16).padStart(2, '0')), bytes]),
  }
}
const AB = stored('ab')

function text(bytes: Uint8Array): string {
  return Buffer.from(decompressFrame(bytes)).toString('latin1')
}

describe('xxh32', () => {
  test.each([
    ['', 0, 0x02cc5d05],
    ['', 0x9e3779b1, 0x36b78ae7],
    ['a', 0, 0x550d7456],
    ['abc', 0, 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0, 0xe2293b2f],
  ])('of %j with seed %i is as published', (input, seed, hash) => {
    expect(xxh32(Buffer.from(input), seed)).toBe(hash)
  })
})

describe('a frame', () => {
  test('may hold linked or independent blocks', () => {
    expect(text(frame([AB, AB], { linked: true }))).toBe('abab')
    expect(text(frame([AB, AB]))).toBe('abab')
  })

  test('may have linked blocks that refer to earlier ones, stored ones too', () => {
    // one literal, then a match of 4 from 3 back, then 5 literals
    const back: Block = { stored: false, bytes: hex('10 63 0300 50 7676767676') }
    expect(text(frame([stored('ab'), back], { linked: true }))).toBe('abcabcavvvvv')
    expectFormatError(() => text(frame([stored('ab'), back])), /a match reaches 3 bytes back, 1 are there/)
  })

  test.each([4, 5, 6, 7])('may declare block size code %i; a larger block is refused', (sizeCode) => {
    const max = 1 << (8 + 2 * sizeCode)
    expect(decompressFrame(frame([stored(Buffer.alloc(max, 1))], { sizeCode }))).toHaveLength(max)
    expectFormatError(
      () => decompressFrame(frame([stored(Buffer.alloc(max + 1, 1))], { sizeCode })),
      /larger than/,
    )
  })

  test.each([0, 1, 2, 3])('of block size code %i is refused', (sizeCode) => {
    expectFormatError(() => decompressFrame(frame([AB], { sizeCode })), /block size code/)
  })

  test('whose compressed block decodes to more than declared is refused', () => {
    const zeros = (size: number): Block => {
      // a literal 0, a match of the rest from 1 back, 5 literals
      const more = size - 1 - 5 - 4 - 15
      const bytes = section().u8(0x1f, 0, 1, 0)
      for (let left = more; left >= 255; left -= 255) bytes.u8(255)
      return { stored: false, bytes: bytes.u8(more % 255, 0x50, 0, 0, 0, 0, 0).done() }
    }
    expect(decompressFrame(frame([zeros(KIB_64)]))).toEqual(Buffer.alloc(KIB_64))
    expectFormatError(() => decompressFrame(frame([zeros(KIB_64 + 1)])), /more than 65536 bytes/)
  })

  test('has its block checksums verified', () => {
    const good = frame([AB, literals('cd')], { blockChecksums: true })
    expect(text(good)).toBe('abcd')
    good[12]! ^= 1
    expectFormatError(() => text(good), /block checksum/)
  })

  test('has its content checksum verified', () => {
    const good = frame([AB, AB], { contentChecksum: Buffer.from('abab') })
    expect(text(good)).toBe('abab')
    expectFormatError(
      () => text(frame([AB, AB], { contentChecksum: Buffer.from('abac') })),
      /content checksum/,
    )
    expectFormatError(() => text(good.subarray(0, -1)), /truncated/)
  })

  test('has its content size verified, and never allocated before it is', () => {
    expect(text(frame([AB], { contentSize: 2 }))).toBe('ab')
    for (const size of [0, 1, 3, 2 ** 32, 2n ** 64n - 1n]) {
      expectFormatError(() => text(frame([AB], { contentSize: size })), /it holds 2 bytes, its header says/)
    }
  })

  test('may have all options at once', () => {
    const all = {
      linked: true,
      blockChecksums: true,
      contentChecksum: Buffer.from('abcd'),
      contentSize: 4,
      sizeCode: 7,
    }
    expect(text(frame([AB, literals('cd')], all))).toBe('abcd')
  })

  test('may hold no block, and blocks of no bytes', () => {
    expect(text(frame([]))).toBe('')
    expect(text(frame([stored(''), AB, stored(''), AB]))).toBe('abab')
    expect(text(hex('04224d18 54 40 ae 00000000 055dcc02'))).toBe('')
    expect(text(hex('04224d18 60 40 82 00000000'))).toBe('')
  })

  test.each([
    ['40 40 c0', ''],
    ['64 40 a7', '055dcc02'],
    ['70 40 ad', ''],
    ['74 40 bd', '055dcc02'],
    ['54 40 ae', '055dcc02'],
    ['60 70 73', ''],
  ])('may have the header %s', (header, checksum) => {
    expect(text(hex(`04224d18 ${header} 00000000 ${checksum}`))).toBe('')
  })

  test('with a wrong header checksum is refused', () => {
    expectFormatError(() => text(hex('04224d18 60 40 83 00000000')), /header checksum/)
  })

  test('with a dictionary, an unknown version or reserved bits is refused', () => {
    expectFormatError(() => text(hex('04224d18 61 40 01000000 00 00000000')), /dictionary/)
    expectFormatError(() => text(hex('04224d18 a0 40 00 00000000')), /version 2/)
    expectFormatError(() => text(hex('04224d18 62 40 00 00000000')), /reserved/)
    expectFormatError(() => text(hex('04224d18 60 c0 00 00000000')), /reserved/)
    expectFormatError(() => text(hex('04224d18 60 41 00 00000000')), /reserved/)
  })

  test('without end mark, or cut off anywhere, is refused', () => {
    expectFormatError(() => text(frame([AB], { endMark: false })), /truncated/)
    for (let length = 0; length < LOG_DEPENDENCIES_RUST_FRAME.length; length++) {
      expectFormatError(() => decompressFrame(LOG_DEPENDENCIES_RUST_FRAME.subarray(0, length)))
    }
  })

  test('is needed: no bytes at all are refused', () => {
    expectFormatError(() => text(Buffer.alloc(0)), /truncated/)
  })

  test('may be followed by bytes or by another frame, which are ignored', () => {
    expect(text(Buffer.concat([frame([AB]), hex('ffff')]))).toBe('ab')
    expect(text(Buffer.concat([frame([AB]), frame([stored('cd')])]))).toBe('ab')
    const checked = frame([AB], { contentChecksum: Buffer.from('ab') })
    expect(text(Buffer.concat([checked, hex('ffff')]))).toBe('ab')
  })

  test('that is skippable is refused, where the reference would read it as empty', () => {
    for (const first of ['50', '5a', '5f']) {
      const skippable = hex(`${first}2a4d18 03000000 010203`)
      expectFormatError(() => text(Buffer.concat([skippable, frame([AB])])), /skippable/)
    }
  })

  test('of the legacy format, and a block without a frame, are refused', () => {
    expectFormatError(() => text(hex('02214c18 02000000 2061')), /starts with 184c2102/)
    expectFormatError(() => text(lz4.compressSync(Buffer.from('without a frame'))), /starts with/)
  })

  test('may lie anywhere in its buffer', () => {
    const whole = Buffer.concat([hex('ffffff'), frame([AB]), hex('ffff')])
    expect(text(new Uint8Array(whole).subarray(3, whole.length - 2))).toBe('ab')
  })
})

describe('a compressed block', () => {
  const block = (bytes: string) => text(frame([{ stored: false, bytes: hex(bytes) }]))

  test('is literals and matches', () => {
    expect(block('50 6865 6c6c6f')).toBe('hello')
    // 4 literals, a match of 12 from 4 back, 5 literals
    expect(block('48 61626364 0400 50 7676767676')).toBe('abcdabcdabcdabcdvvvvv')
    // a match that overlaps itself
    expect(block('14 61 0100 50 7676767676')).toBe('aaaaaaaaavvvvv')
  })

  test('may have lengths that go on for bytes', () => {
    expect(block(`f0 00 ${'61'.repeat(15)}`)).toBe('a'.repeat(15))
    expect(block(`f0 ff 00 ${'61'.repeat(270)}`)).toBe('a'.repeat(270))
    expect(block('1f 61 0100 ff 01 50 7676767676')).toBe(`${'a'.repeat(1 + 4 + 15 + 256)}vvvvv`)
  })

  test.each([
    '',
    'f0',
    'f0 ff',
    '50 6865',
    '10 61 01',
    '1f 61 0100',
    '1f 61 0100 ff',
    '14 61 0100',
    'f0 01 61',
  ])('that is "%s" is truncated', (bytes) => {
    // a block of no bytes is the end mark, so the frame then ends early
    if (bytes === '') expect(block(bytes)).toBe('')
    else expectFormatError(() => block(bytes), /LZ4 block: it is truncated/)
  })

  test('cannot reach back before the start, nor by nothing', () => {
    expectFormatError(() => block('14 61 0200 50 7676767676'), /reaches 2 bytes back, 1 are there/)
    expectFormatError(() => block('14 61 0000 50 7676767676'), /reaches 0 bytes back/)
  })
})

describe('the limit', () => {
  test('is the last size that is accepted', () => {
    const five = frame([stored('abcde')])
    expect(decompressFrame(five, { maxBytes: 5 })).toHaveLength(5)
    expectFormatError(() => decompressFrame(five, { maxBytes: 4 }), /more than 4 bytes/)
  })

  test('refuses a small frame that would become gigabytes, before it is allocated', async () => {
    const bomb = await lz4.compressFrame(Buffer.alloc(MIB_4))
    const [block] = [bomb.subarray(7, -4)]
    const gigabytes = Buffer.concat([
      hex('04224d18 60 70 73'),
      ...Array.from({ length: 1024 }, () => block!),
      hex('00000000'),
    ])
    expect(decompressFrame(Buffer.concat([hex('04224d18 60 70 73'), block!, hex('00000000')]))).toHaveLength(
      MIB_4,
    )
    const before = process.memoryUsage()
    expectFormatError(() => decompressFrame(gigabytes), /more than 268435456 bytes/)
    expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(MIB_4)
  })
})

describe('frames of the native library', () => {
  test.each([
    {},
    { contentChecksum: true },
    { blockChecksums: true },
    { contentChecksum: true, blockChecksums: true },
  ])('with options %j decompress to what was compressed', async (options) => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc
        .array(fc.constantFrom('order ', 'user ', '42 ', 'a'), { maxLength: 20_000, size: 'max' })
        .map((words) => Buffer.from(words.join(''))),
      fc.integer({ min: 60_000, max: 300_000 }).map((size) => Buffer.alloc(size, 'abcdefghijk')),
    )
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        const compressed = await lz4.compressFrame(bytes, options)
        expect(Buffer.compare(decompressFrame(compressed), bytes)).toBe(0)
      }),
      { numRuns: 60 * MUTATION_SCALE },
    )
  })
})

describe('a stored frame', () => {
  test.each([0, 1, KIB_64 - 1, KIB_64, KIB_64 + 1, MIB_4, MIB_4 + 1, 2 * MIB_4 + 5])(
    'of %i bytes is read back by this package and by the native library',
    async (size) => {
      const content = Buffer.alloc(size)
      for (let i = 0; i < size; i++) content[i] = (i * 31) >> 3
      const framed = storedFrame(content)
      expect(Buffer.compare(decompressFrame(framed), content)).toBe(0)
      expect(Buffer.compare(await lz4.decompressFrame(Buffer.from(framed)), content)).toBe(0)
    },
  )

  test('has the header of the smallest block size its content fits in', () => {
    expect(Buffer.from(storedFrame(Buffer.alloc(0))).toString('hex')).toBe('04224d1860408200000000')
    expect(storedFrame(Buffer.alloc(KIB_64)).subarray(4, 11)).toEqual(hex('60 40 82 00000180'))
    expect(storedFrame(Buffer.alloc(KIB_64 + 1)).subarray(4, 11)).toEqual(hex('60 70 73 01000180'))
    expect(storedFrame(Buffer.alloc(MIB_4)).subarray(7, 11)).toEqual(hex('00004080'))
  })
})

describe('hostile frames', () => {
  const valid = fc.constantFrom(
    LOG_DEPENDENCIES_RUST_FRAME,
    frame([literals('hello'), AB], { linked: true, contentSize: 7 }),
    frame([{ stored: false, bytes: hex('1f 61 0100 ff 01 50 7676767676') }]),
  )
  const mutations = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 })

  test('made by changing bytes throw nothing but format errors', () => {
    fc.assert(
      fc.property(valid, mutations, fc.nat(), (bytes, changes, cut) => {
        const mutated = Buffer.from(bytes)
        for (const [at, value] of changes) mutated[at % mutated.length] = value
        // a right header checksum lets the changes through to the blocks
        mutated[6] = (xxh32(mutated.subarray(4, 6)) >> 8) & 0xff
        ignoreFormatErrors(() => decompressFrame(mutated.subarray(0, mutated.length - (cut % 3))))
      }),
      { numRuns: 5000 * MUTATION_SCALE },
    )
  })

  test('of any bytes throw nothing but format errors', () => {
    const header = fc.constantFrom(hex('04224d18 60 40 82'), hex('04224d18 40 40 c0'), hex(''))
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
        ignoreFormatErrors(() => decompressFrame(Buffer.concat([start, rest])))
      }),
      { numRuns: 5000 * MUTATION_SCALE },
    )
  })

  test('made of two million empty blocks keep nothing of them', () => {
    const blocks = Buffer.alloc(8_000_000)
    for (let i = 3; i < blocks.length; i += 4) blocks[i] = 0x80
    const bytes = Buffer.concat([hex('04224d18 60 40 82'), blocks, hex('00000000')])
    expect(decompressFrame(bytes)).toHaveLength(0)
  })
})
