const SECONDS = 1_795_649_908n // 2026-11-25T23:38:28Z
const times = [SECONDS * 1_000_000_000n, undefined, null, 0n] as const
const before = (unit: bigint): bigint => -unit

/** What each column of `all-types.arrow` holds: four values in exact form. */
export const allTypes: Readonly<Record<string, readonly unknown[]>> = {
  null: [null, null, null, null],
  bool: [true, false, null, true],
  int8: [-128, 127, null, 0],
  uint8: [0, 255, null, 1],
  int16: [-32_768, 32_767, null, 0],
  uint16: [0, 65_535, null, 1],
  int32: [-2_147_483_648, 2_147_483_647, null, 0],
  uint32: [0, 4_294_967_295, null, 1],
  int64: [-(2n ** 63n), 2n ** 63n - 1n, null, 0n],
  uint64: [0n, 2n ** 64n - 1n, null, 1n],
  float16: [1.5, -0.00006103515625, null, 65_504],
  float32: [1.5, Number.NEGATIVE_INFINITY, null, 0.25],
  float64: [0.1, Number.NaN, null, -1e300],
  ...Object.fromEntries(
    ['utf8', 'large_utf8', 'utf8_view'].map((name) => [
      name,
      ['', 'é€😀', null, 'plain and longer than twelve bytes'],
    ]),
  ),
  ...Object.fromEntries(
    ['binary', 'large_binary', 'binary_view'].map((name) => [
      name,
      [
        new Uint8Array(),
        Uint8Array.of(0, 255),
        null,
        new Uint8Array(Buffer.from('longer than twelve bytes')),
      ],
    ]),
  ),
  fixed_binary: [Uint8Array.of(97, 98, 99), Uint8Array.of(0, 1, 2), null, Uint8Array.of(120, 121, 122)],
  decimal32: ['1.25', '-9999999.99', null, '0.00'],
  decimal64: ['1.250', '-0.001', null, '0.000'],
  decimal128: ['1.2500000000', '-12345678901234567890.0000000001', null, '0.0000000000'],
  decimal256: [`1${'0'.repeat(70)}`, `-1${'0'.repeat(70)}`, null, '0'],
  date32: ['2026-11-25', '1969-12-31', null, '0001-01-01'],
  date64: ['2026-11-25', '1969-12-31', null, '1970-01-01'],
  time32s: [0n, 86_399_000_000_000n, null, 1_000_000_000n],
  time32ms: [0n, 86_399_999_000_000n, null, 1_000_000n],
  time64us: [0n, 86_399_999_999_000n, null, 1_000n],
  time64ns: [0n, 86_399_999_999_999n, null, 1n],
  ...Object.fromEntries(
    Object.entries({ s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, ns: 1n }).flatMap(([unit, factor]) => {
      const values = times.map((value) => (value === undefined ? before(factor) : value))
      return [`timestamp_${unit}`, `timestamp_${unit}_utc`, `duration_${unit}`].map((name) => [name, values])
    }),
  ),
  interval: [
    { months: 14, days: -3, nanoseconds: 2n ** 60n },
    { months: 0, days: 0, nanoseconds: -1n },
    null,
    { months: 0, days: 0, nanoseconds: 0n },
  ],
  list: [[1n, null, 3n], [], null, [4n]],
  large_list: [['a', null], [], null, ['b']],
  list_view: [[1, null], [], null, [4]],
  large_list_view: [[1, null], [], null, [4]],
  fixed_list: [[1, 2], [null, 4], null, [5, 6]],
  struct: [{ a: 1, b: 'x' }, { a: null, b: null }, null, { a: 2, b: 'y' }],
  map: [
    new Map([
      ['k', 1n],
      ['l', null],
    ]),
    new Map(),
    null,
    new Map([['m', 2n]]),
  ],
  deep: [
    [
      { at: 1n, tags: ['x', 'y'] },
      { at: null, tags: null },
    ],
    [],
    null,
    [{ at: -1n, tags: [] }],
  ],
  dictionary: ['b', 'a', null, 'b'],
  dictionary_of_int64: [2n ** 60n, -1n, null, 2n ** 60n],
  dictionary_null: [null, 'x', null, null],
  run_end: ['r', 'r', null, 's'],
  dense_union: [1n, 'u', null, 'v'],
  sparse_union: [1n, 'u', null, 'v'],
}
