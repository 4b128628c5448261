/** The little of Protocol Buffers that Flight's messages need: varints and length-delimited fields. */
import { corrupt } from '../arrow/ipc-message.ts'

const [VARINT, FIXED64, DELIMITED, FIXED32] = [0, 1, 2, 5]

/** Field numbers with their bytes or text; `undefined` and empty ones are not written, as in proto3. */
export function encodeMessage(
  fields: readonly (readonly [number, Uint8Array | string | number | undefined])[],
): Buffer {
  const parts: Uint8Array[] = []
  for (const [field, value] of fields) {
    if (value === undefined || value === '' || value === 0) continue
    if (typeof value === 'number') {
      parts.push(varint(field * 8 + VARINT), varint(value))
      continue
    }
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    if (bytes.length > 0) parts.push(varint(field * 8 + DELIMITED), varint(bytes.length), bytes)
  }
  return Buffer.concat(parts)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/** What a message holds, by field number; of repeated fields the last. Bytes are shared with the message. */
export class MessageFields {
  readonly #bytes = new Map<number, Uint8Array>()
  readonly #numbers = new Map<number, bigint>()

  /** @throws {@link QueryError} `DATA_LOSS` when the bytes are no message. */
  constructor(message: Uint8Array) {
    let offset = 0
    const next = (): bigint => {
      let value = 0n
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const byte = message[offset++]
        if (byte === undefined) break
        value |= BigInt(byte & 0x7f) << shift
        if (byte < 0x80) return value
      }
      throw corrupt('a Flight message is cut off')
    }
    while (offset < message.length) {
      const tag = Number(next())
      const [field, wireType] = [Math.floor(tag / 8), tag % 8]
      if (wireType === VARINT) this.#numbers.set(field, BigInt.asIntN(64, next()))
      else if (wireType === DELIMITED) {
        const end = Number(next()) + offset
        if (end > message.length) throw corrupt('a Flight message is cut off')
        this.#bytes.set(field, message.subarray(offset, end))
        offset = end
      } else if (wireType === FIXED64 || wireType === FIXED32) offset += wireType === FIXED64 ? 8 : 4
      else throw corrupt('a Flight message has a field of an unknown kind')
    }
  }

  /** Empty when the field is not there, as proto3 has it. */
  bytes(field: number): Uint8Array {
    return this.#bytes.get(field) ?? new Uint8Array()
  }

  text(field: number): string {
    return Buffer.from(this.bytes(field)).toString()
  }

  /** A signed 64-bit number; 0 when it is not there. */
  number(field: number): bigint {
    return this.#numbers.get(field) ?? 0n
  }
}
