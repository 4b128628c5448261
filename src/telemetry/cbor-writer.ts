import { types } from 'node:util'

/**
 * The part of CBOR (RFC 8949) that insert requests use, written without a library: for the end of a process that comes
 * before the library has been loaded, when there is no more waiting for it. Definite lengths, shortest integers, no tags
 * and no floats, as the library writes.
 *
 * @param value - Text, bytes, booleans, null, bigints, safe integers, and arrays, maps and plain objects of these.
 * @throws `TypeError` for anything else.
 */
export function writeCbor(value: unknown): Uint8Array {
  const chunks: Uint8Array[] = []
  write(value, chunks)
  return Buffer.concat(chunks)
}

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5 } as const

function write(value: unknown, chunks: Uint8Array[]): void {
  switch (typeof value) {
    case 'string': {
      const text = Buffer.from(value)
      chunks.push(head(MAJOR.text, BigInt(text.byteLength)), text)
      return
    }
    case 'number':
      if (!Number.isSafeInteger(value)) throw new TypeError(`Cannot write ${value}: no safe integer`)
      write(BigInt(value), chunks)
      return
    case 'bigint':
      chunks.push(value < 0n ? head(MAJOR.negative, -1n - value) : head(MAJOR.unsigned, value))
      return
    case 'boolean':
      chunks.push(Uint8Array.of(value ? 0xf5 : 0xf4))
      return
    case 'object':
      writeObject(value, chunks)
      return
    default:
      throw new TypeError(`Cannot write a ${typeof value}`)
  }
}

function writeObject(value: object | null, chunks: Uint8Array[]): void {
  if (value === null) {
    chunks.push(Uint8Array.of(0xf6))
  } else if (types.isUint8Array(value)) {
    chunks.push(head(MAJOR.bytes, BigInt(value.byteLength)), value)
  } else if (Array.isArray(value)) {
    chunks.push(head(MAJOR.array, BigInt(value.length)))
    for (const element of value) write(element, chunks)
  } else {
    const entries = types.isMap(value) ? [...value] : Object.entries(value)
    chunks.push(head(MAJOR.map, BigInt(entries.length)))
    for (const [key, member] of entries) {
      write(key, chunks)
      write(member, chunks)
    }
  }
}

/** Major type and argument. */
function head(major: number, argument: bigint): Uint8Array {
  const type = major << 5
  if (argument < 24n) return Uint8Array.of(type | Number(argument))
  const bytes = Buffer.alloc(9)
  if (argument < 2n ** 8n) {
    bytes[0] = type | 24
    bytes.writeUInt8(Number(argument), 1)
    return bytes.subarray(0, 2)
  }
  if (argument < 2n ** 16n) {
    bytes[0] = type | 25
    bytes.writeUInt16BE(Number(argument), 1)
    return bytes.subarray(0, 3)
  }
  if (argument < 2n ** 32n) {
    bytes[0] = type | 26
    bytes.writeUInt32BE(Number(argument), 1)
    return bytes.subarray(0, 5)
  }
  bytes[0] = type | 27
  bytes.writeBigUInt64BE(argument, 1) // throws for what CBOR has no integer for
  return bytes
}
