const FLOAT = new Float64Array(1)
const FLOAT_BITS = new BigUint64Array(FLOAT.buffer)

/** A protobuf message being written. */
export class Proto {
  readonly #bytes: number[] = []

  get isEmpty(): boolean {
    return this.#bytes.length === 0
  }

  varint(field: number, value: bigint): this {
    return this.head(field, 0).raw(BigInt.asUintN(64, value))
  }

  text(field: number, text: string): this {
    return this.#block(field, Buffer.from(text))
  }

  /** The bits of a double. */
  double(field: number, value: number): this {
    FLOAT[0] = value
    return this.fixed64(field, FLOAT_BITS[0]!)
  }

  fixed64(field: number, value: bigint): this {
    this.head(field, 1)
    for (let shift = 0n; shift < 64n; shift += 8n) this.#bytes.push(Number((value >> shift) & 255n))
    return this
  }

  message(field: number, message: Proto): this {
    return this.#block(field, message.#bytes)
  }

  head(field: number, wireType: number): this {
    return this.raw(BigInt(field * 8 + wireType))
  }

  raw(value: bigint): this {
    let rest = value
    while (rest > 127n) {
      this.#bytes.push(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    this.#bytes.push(Number(rest))
    return this
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }

  #block(field: number, bytes: Iterable<number> & { readonly length: number }): this {
    this.head(field, 2).raw(BigInt(bytes.length))
    for (const byte of bytes) this.#bytes.push(byte)
    return this
  }
}
