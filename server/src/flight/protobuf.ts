import protobuf from 'protobufjs/minimal.js'

/** A field of a message: its number, and text, bytes or a whole number. `undefined` is left out, as protobuf has it. */
export type FieldValue = readonly [number: number, value: string | Uint8Array | number | bigint | undefined]

const [VARINT, BYTES] = [0, 2]

export function encodeMessage(fields: readonly FieldValue[]): Buffer {
  const writer = protobuf.Writer.create()
  for (const [number, value] of fields) {
    if (value === undefined) continue
    if (typeof value === 'number') writer.uint32((number << 3) | VARINT).int64(value)
    else if (typeof value === 'bigint') writer.uint32((number << 3) | VARINT).int64(longOf(value))
    else if (typeof value === 'string') writer.uint32((number << 3) | BYTES).string(value)
    else writer.uint32((number << 3) | BYTES).bytes(value)
  }
  return Buffer.from(writer.finish())
}

/** The fields of a message, by number; of a repeated one all, in order. Unknown ones are kept and do no harm. */
export class MessageFields {
  readonly #fields = new Map<number, (Uint8Array | bigint)[]>()

  /** @throws Error for what is not a message. */
  constructor(bytes: Uint8Array) {
    const reader = protobuf.Reader.create(bytes)
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      const number = tag >>> 3
      const value = readValue(reader, tag & 7)
      if (value === undefined) continue
      const values = this.#fields.get(number)
      if (values === undefined) this.#fields.set(number, [value])
      else values.push(value)
    }
  }

  bytes(number: number): Uint8Array | undefined {
    const value = this.#fields.get(number)?.at(-1)
    return value instanceof Uint8Array ? value : undefined
  }

  text(number: number): string | undefined {
    const bytes = this.bytes(number)
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8')
  }

  texts(number: number): string[] {
    const values = this.#fields.get(number) ?? []
    return values
      .filter((value) => value instanceof Uint8Array)
      .map((value) => Buffer.from(value).toString('utf8'))
  }

  number(number: number): bigint | undefined {
    const value = this.#fields.get(number)?.at(-1)
    return typeof value === 'bigint' ? value : undefined
  }
}

function readValue(reader: protobuf.Reader, wireType: number): Uint8Array | bigint | undefined {
  if (wireType === VARINT) {
    const { low, high } = reader.int64() as unknown as { low: number; high: number }
    return (BigInt(high) << 32n) | BigInt(low >>> 0)
  }
  if (wireType === BYTES) return reader.bytes()
  reader.skipType(wireType)
  return undefined
}

function longOf(value: bigint): protobuf.Long {
  return {
    low: Number(value & 0xffffffffn) | 0,
    high: Number(value >> 32n) | 0,
    unsigned: false,
  } as protobuf.Long
}
