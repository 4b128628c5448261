const P1 = 0x9e3779b185ebca87n
const P2 = 0xc2b2ae3d27d4eb4fn
const P3 = 0x165667b19e3779f9n
const P4 = 0x85ebca77c2b2ae63n
const P5 = 0x27d4eb2f165667c5n

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const rotate = (value: bigint, bits: bigint): bigint => u64((value << bits) | (u64(value) >> (64n - bits)))
const round = (acc: bigint, input: bigint): bigint => u64(rotate(u64(acc + input * P2), 31n) * P1)

/** The 64-bit xxHash of a text. Source: the xxHash specification, "XXH64 algorithm description". */
export function xxh64(text: string, seed: bigint): bigint {
  const bytes = Buffer.from(text)
  let offset = 0
  let hash: bigint
  if (bytes.length >= 32) {
    const acc = [u64(seed + P1 + P2), u64(seed + P2), u64(seed), u64(seed - P1)]
    for (; offset + 32 <= bytes.length; offset += 32) {
      for (let i = 0; i < 4; i++) acc[i] = round(acc[i]!, bytes.readBigUInt64LE(offset + i * 8))
    }
    hash = u64(rotate(acc[0]!, 1n) + rotate(acc[1]!, 7n) + rotate(acc[2]!, 12n) + rotate(acc[3]!, 18n))
    for (const lane of acc) hash = u64((hash ^ round(0n, lane)) * P1 + P4)
  } else {
    hash = u64(seed + P5)
  }
  hash = u64(hash + BigInt(bytes.length))
  for (; offset + 8 <= bytes.length; offset += 8) {
    hash = u64(rotate(hash ^ round(0n, bytes.readBigUInt64LE(offset)), 27n) * P1 + P4)
  }
  if (offset + 4 <= bytes.length) {
    hash = u64(rotate(hash ^ u64(BigInt(bytes.readUInt32LE(offset)) * P1), 23n) * P2 + P3)
    offset += 4
  }
  for (; offset < bytes.length; offset++)
    hash = u64(rotate(hash ^ u64(BigInt(bytes[offset]!) * P5), 11n) * P1)
  hash = u64((hash ^ (hash >> 33n)) * P2)
  hash = u64((hash ^ (hash >> 29n)) * P3)
  return hash ^ (hash >> 32n)
}
