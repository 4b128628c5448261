/** Writes CBOR item by item, each encoding spelled out: tests decide what a normal encoder would not write. */

export type Item = Buffer

export function head(major: number, argument: number | bigint, width?: 0 | 1 | 2 | 4 | 8): Item {
  const value = BigInt(argument)
  const bytes =
    width ?? (value < 24n ? 0 : value < 0x100n ? 1 : value < 0x1_0000n ? 2 : value < 2n ** 32n ? 4 : 8)
  if (bytes === 0) return Buffer.from([(major << 5) | Number(value)])
  const item = Buffer.alloc(1 + bytes)
  item[0] = (major << 5) | { 1: 24, 2: 25, 4: 26, 8: 27 }[bytes]
  for (let i = 0; i < bytes; i++) item[bytes - i] = Number((value >> BigInt(8 * i)) & 0xffn)
  return item
}

export function int(value: number | bigint, width?: 0 | 1 | 2 | 4 | 8): Item {
  const big = BigInt(value)
  return big < 0n ? head(1, -1n - big, width) : head(0, big, width)
}

export function text(value: string | Uint8Array): Item {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([head(3, bytes.length), bytes])
}

export function bytes(value: Uint8Array): Item {
  return Buffer.concat([head(2, value.length), value])
}

export const BREAK: Item = Buffer.from([0xff])
export const NULL: Item = Buffer.from([0xf6])
export const UNDEFINED: Item = Buffer.from([0xf7])
export const TRUE: Item = Buffer.from([0xf5])
export const FALSE: Item = Buffer.from([0xf4])

export function chunkedText(...chunks: string[]): Item {
  return Buffer.concat([Buffer.from([0x7f]), ...chunks.map((chunk) => text(chunk)), BREAK])
}

export function chunkedBytes(...chunks: Uint8Array[]): Item {
  return Buffer.concat([Buffer.from([0x5f]), ...chunks.map((chunk) => bytes(chunk)), BREAK])
}

export function array(items: readonly Item[], indefinite = false): Item {
  return indefinite
    ? Buffer.concat([Buffer.from([0x9f]), ...items, BREAK])
    : Buffer.concat([head(4, items.length), ...items])
}

export function map(
  entries: readonly (readonly [key: Item | string, value: Item])[],
  indefinite = false,
): Item {
  const items = entries.flatMap(([key, value]) => [typeof key === 'string' ? text(key) : key, value])
  return indefinite
    ? Buffer.concat([Buffer.from([0xbf]), ...items, BREAK])
    : Buffer.concat([head(5, entries.length), ...items])
}

export function tag(number: number | bigint, item: Item): Item {
  return Buffer.concat([head(6, number), item])
}

export function double(value: number): Item {
  const item = Buffer.alloc(9)
  item[0] = 0xfb
  item.writeDoubleBE(value, 1)
  return item
}
