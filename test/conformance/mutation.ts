/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Bytes that mean something to CBOR, to lengths and to signs. */
const TELLING_BYTES = [
  0x00, 0x01, 0x02, 0x18, 0x1b, 0x40, 0x5f, 0x60, 0x7f, 0x80, 0x9f, 0xbf, 0xc2, 0xf6, 0xff,
]

/** Changes one to three places: a byte or a bit of it, bytes left out or put in, or the end cut off. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit)
  let mutant: number[] = Array.from(bytes)
  for (let changes = 1 + below(3); changes > 0 && mutant.length > 0; changes--) {
    const at = below(mutant.length)
    switch (below(6)) {
      case 0:
        mutant[at] = below(256)
        break
      case 1:
        mutant[at]! ^= 1 << below(8)
        break
      case 2:
        mutant[at] = TELLING_BYTES[below(TELLING_BYTES.length)]!
        break
      case 3:
        mutant.splice(at, 1 + below(4))
        break
      case 4:
        mutant.splice(at, 0, below(256))
        break
      default:
        mutant = mutant.slice(0, at)
    }
  }
  return Uint8Array.from(mutant)
}
