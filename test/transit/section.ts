/** Writes transit sections by hand, so that tests do not trust the code that writes them in production. */
export class Section {
  readonly #parts: Buffer[] = []

  u8(...values: number[]): this {
    return this.raw(Buffer.from(values))
  }
  u32(value: number): this {
    const part = Buffer.alloc(4)
    part.writeUInt32LE(value)
    return this.raw(part)
  }
  u64(...values: (number | bigint)[]): this {
    for (const value of values) {
      const part = Buffer.alloc(8)
      part.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)))
      this.raw(part)
    }
    return this
  }
  f64(value: number): this {
    const part = Buffer.alloc(8)
    part.writeDoubleLE(value)
    return this.raw(part)
  }
  raw(bytes: Uint8Array | string): this {
    this.#parts.push(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes))
    return this
  }
  /** A length-prefixed string. */
  text(text: string | Uint8Array, codec = 2): this {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
    return this.u8(codec).u32(bytes.length).raw(bytes)
  }
  /** A record of a dynamic type: index, size word, body. */
  dynamic(index: number, body: Section): this {
    const bytes = body.done()
    return this.u8(index).u32(bytes.length).raw(bytes)
  }
  done(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

export function section(): Section {
  return new Section()
}

/** Bytes from hexadecimal text; anything that is no digit is passed over. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/[^0-9a-f]/g, ''), 'hex')
}
