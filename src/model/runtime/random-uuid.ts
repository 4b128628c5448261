import { builtin } from './builtins.ts'

const UUID_BYTES = 16
/** More than a start needs: later ones come when `node:crypto` is loaded for other reasons, or out of the way. */
const POOLED = 16

/** What {@link pool} is when there is nothing left of it. */
const USED_UP = '-'

let pool = ''

/**
 * A random UUID, version 4 (RFC 9562). The first ones are made of what the system's generator says by its file, which is where
 * `node:crypto` has it from: to load that takes a start 2 to 5 ms.
 */
export function randomUuid(): string {
  if (pool === '') pool = systemRandom(POOLED * UUID_BYTES) ?? USED_UP
  if (pool === USED_UP) return builtin('node:crypto').randomUUID()
  const hex = pool.slice(0, 2 * UUID_BYTES)
  pool = pool.slice(2 * UUID_BYTES) || USED_UP
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** Hexadecimal; `undefined` where there is no such file, or it must not be read. */
function systemRandom(count: number): string | undefined {
  if (process.platform === 'win32') return undefined
  const fs = builtin('node:fs')
  try {
    const file = fs.openSync('/dev/urandom', 'r')
    try {
      const bytes = Buffer.alloc(count)
      const isFull = fs.readSync(file, bytes) === count
      return isFull && bytes.some((byte) => byte !== 0) ? bytes.toString('hex') : undefined
    } finally {
      fs.closeSync(file)
    }
  } catch {
    return undefined
  }
}
