const integer = new BigUint64Array(1)
const double = new Float64Array(integer.buffer)

/**
 * A dependency's id as the double that has its bits: recording functions write it in one store, where two 32-bit halves
 * take two. Ids count from 1 in every block, far below the bits of a NaN, which would not keep them.
 */
export function idBits(id: number): number {
  integer[0] = BigInt(id)
  return double[0]!
}
