import { describe, expect, test } from 'vitest'
import { type BlockEnd, TickConverter } from '../../../src/telemetry/decode/tick-converter.ts'
import { expectFormatError } from '../../transit/format-errors.ts'

const START_MICROS = 1_704_067_200_000_000n
const START_NS = START_MICROS * 1000n

function converter(tscFrequency: bigint, startTicks = 5_000_000_000n, end?: BlockEnd): TickConverter {
  return new TickConverter({ tscFrequency, startTicks, startTimeMicros: START_MICROS }, end)
}

describe('with a frequency', () => {
  test('of 1 GHz ticks are nanoseconds', () => {
    expect(converter(1_000_000_000n).toNanoseconds(5_000_001_000n)).toBe(START_NS + 1000n)
    expect(converter(1_000_000_000n).relativeToNanoseconds(1_000_000n)).toBe(START_NS + 1_000_000n)
  })

  test('events before the start decode to times before it', () => {
    expect(converter(1_000_000_000n).toNanoseconds(4_999_999_999n)).toBe(START_NS - 1n)
  })

  test('of 1 GHz conversion is exact up to 2^53 ticks and rounds as a 64-bit float above', () => {
    const ticks = converter(1_000_000_000n)
    expect(ticks.relativeToNanoseconds(2n ** 53n)).toBe(START_NS + 2n ** 53n)
    expect(ticks.relativeToNanoseconds(2n ** 53n + 1n)).toBe(START_NS + 2n ** 53n)
    expect(ticks.relativeToNanoseconds(2n ** 53n + 3n)).toBe(START_NS + 2n ** 53n + 4n)
    expect(ticks.relativeToNanoseconds(-(2n ** 53n) - 1n)).toBe(START_NS - 2n ** 53n)
  })

  test('of 1 MHz ticks stay exact for a year', () => {
    expect(converter(1_000_000n).relativeToNanoseconds(2n ** 45n + 1n)).toBe(
      START_NS + (2n ** 45n + 1n) * 1000n,
    )
  })

  test('halves are rounded away from zero', () => {
    const ticks = converter(2_000_000_000n)
    expect(ticks.relativeToNanoseconds(1n)).toBe(START_NS + 1n)
    expect(ticks.relativeToNanoseconds(-1n)).toBe(START_NS - 1n)
    expect(ticks.relativeToNanoseconds(3n)).toBe(START_NS + 2n)
    expect(converter(4_000_000_000n).relativeToNanoseconds(1n)).toBe(START_NS)
  })

  test('a difference that leaves 64 bits wraps, as in the reference', () => {
    const ticks = converter(1_000_000_000n, -1n)
    expect(ticks.toNanoseconds(2n ** 63n - 1n)).toBe(BigInt.asIntN(64, START_NS - 2n ** 63n))
  })

  test('durations are given in seconds', () => {
    expect(converter(1_000_000_000n).durationToSeconds(1_500_000_000n)).toBe(1.5)
    expect(converter(10_000_000n).durationToSeconds(-5_000_000n)).toBe(-0.5)
  })
})

describe('without a frequency', () => {
  test('it is derived from the end of the block', () => {
    const end = { endTicks: 20_000_000n, endTimeMicros: START_MICROS + 2_000_000n }
    for (const none of [0n, -1n]) {
      expect(converter(none, 0n, end).relativeToNanoseconds(10_000_000n)).toBe(START_NS + 1_000_000_000n)
    }
  })

  test.each([
    ['the block ends when the process starts', { endTicks: 0n, endTimeMicros: START_MICROS }],
    ['the clock went backwards', { endTicks: 5n, endTimeMicros: START_MICROS - 1n }],
    ['no block is known', undefined],
  ])('nothing can be converted when %s', (_name, end) => {
    expectFormatError(() => converter(0n, 0n, end), /tick frequency of 0/)
  })
})

test('a start time beyond 64-bit nanoseconds counts as the epoch, as in the reference', () => {
  const ticks = new TickConverter({
    tscFrequency: 1_000_000_000n,
    startTicks: 0n,
    startTimeMicros: 2n ** 62n,
  })
  expect(ticks.toNanoseconds(5n)).toBe(5n)
})
