/** The bytes of a member of the map that `body` holds, in CBOR; empty when there is none. The body is known to be valid. */
export function rawMember(body: Uint8Array, name: string): Uint8Array {
  const reader = new Skipper(body)
  const { major, value } = reader.head()
  if (major !== 5) return new Uint8Array(0)
  for (
    let left = value;
    left === undefined ? !reader.atBreak() : left > 0n;
    left = left === undefined ? left : left - 1n
  ) {
    const key = reader.text()
    const from = reader.offset
    reader.skip()
    if (key === name) return body.slice(from, reader.offset)
  }
  return new Uint8Array(0)
}

const decoder = new TextDecoder()

/** Walks over items of CBOR (RFC 8949) without making values of them. */
class Skipper {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The major type, and the number after it; `undefined` for an item whose end is marked by a break. */
  head(): { major: number; value: bigint | undefined } {
    const first = this.#view.getUint8(this.offset++)
    const major = first >> 5
    const info = first & 31
    if (info === 31) return { major, value: undefined }
    if (info < 24) return { major, value: BigInt(info) }
    const width = 1 << (info - 24)
    const at = this.offset
    this.offset += width
    if (width === 1) return { major, value: BigInt(this.#view.getUint8(at)) }
    if (width === 2) return { major, value: BigInt(this.#view.getUint16(at)) }
    if (width === 4) return { major, value: BigInt(this.#view.getUint32(at)) }
    return { major, value: this.#view.getBigUint64(at) }
  }

  atBreak(): boolean {
    if (this.#bytes[this.offset] !== 0xff) return false
    this.offset++
    return true
  }

  text(): string | undefined {
    const from = this.offset
    const { major, value } = this.head()
    if (major !== 3 || value === undefined) {
      this.offset = from
      this.skip()
      return undefined
    }
    const start = this.offset
    this.offset += Number(value)
    return decoder.decode(this.#bytes.subarray(start, this.offset))
  }

  /** Items yet to skip are counted, not recursed into. */
  skip(): void {
    const open: (bigint | undefined)[] = [1n]
    while (open.length > 0) {
      const left = open.at(-1)
      if (left === undefined ? this.atBreak() : left === 0n) {
        open.pop()
        continue
      }
      if (left !== undefined) open[open.length - 1] = left - 1n
      const { major, value } = this.head()
      if (major === 2 || major === 3) {
        if (value === undefined) open.push(undefined)
        else this.offset += Number(value)
      } else if (major === 4) open.push(value)
      else if (major === 5) open.push(value === undefined ? undefined : value * 2n)
      else if (major === 6) open.push(1n)
    }
  }
}
