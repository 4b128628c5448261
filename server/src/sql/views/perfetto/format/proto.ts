const TWO_POW_32 = 2 ** 32

/** A protobuf message being written, in memory that serves again after `reset`. */
export class Proto {
  #bytes: Buffer = Buffer.allocUnsafe(256)
  #view = viewOf(this.#bytes)
  #length = 0

  get isEmpty(): boolean {
    return this.#length === 0
  }

  get length(): number {
    return this.#length
  }

  reset(): this {
    this.#length = 0
    return this
  }

  /** @param value - A whole number from 0 to 2^53. */
  number(field: number, value: number): this {
    this.#room(20)
    this.#raw(field * 8)
    return this.#raw(value)
  }

  /** @param value - Of 64 bits; a negative one as its complement. */
  varint(field: number, value: bigint): this {
    this.#room(20)
    this.#raw(field * 8)
    let low = Number(BigInt.asUintN(32, value))
    let high = Number(BigInt.asUintN(32, value >> 32n))
    while (high > 0 || low > 127) {
      this.#bytes[this.#length++] = (low & 127) | 128
      low = ((low >>> 7) | ((high & 127) << 25)) >>> 0
      high >>>= 7
    }
    this.#bytes[this.#length++] = low
    return this
  }

  fixed64(field: number, value: bigint): this {
    this.#room(18)
    this.#raw(field * 8 + 1)
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true)
    this.#length += 8
    return this
  }

  double(field: number, value: number): this {
    this.#room(18)
    this.#raw(field * 8 + 1)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
    return this
  }

  text(field: number, text: string): this {
    const size = Buffer.byteLength(text)
    this.#room(20 + size)
    this.#raw(field * 8 + 2)
    this.#raw(size)
    this.#length += this.#bytes.write(text, this.#length)
    return this
  }

  message(field: number, message: Proto): this {
    this.#room(20 + message.#length)
    this.#raw(field * 8 + 2)
    this.#raw(message.#length)
    message.#bytes.copy(this.#bytes, this.#length, 0, message.#length)
    this.#length += message.#length
    return this
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#bytes, 0, this.#length)
  }

  #raw(value: number): this {
    let rest = value
    while (rest >= TWO_POW_32) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + size))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
    this.#view = viewOf(grown)
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
