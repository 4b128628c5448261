/** A place of the code, as a trace names it. */
export interface TracePlace {
  readonly name: string
  readonly target: string
  readonly filename: string
  readonly line: number
}

const SLICE_BEGIN = 1
const SLICE_END = 2
/** A chunk ends once it has so many bytes. */
const CHUNK_BYTES = 8 * 1024

/**
 * Writes a trace of Perfetto's protobuf format (protos/perfetto/trace), as the reference's writer does: each packet is a
 * field of the trace, so that chunks put one after the other are the trace.
 */
export class PerfettoWriter {
  readonly #emit: (chunk: Uint8Array) => void
  readonly #processUuid: bigint
  readonly #pid: bigint
  readonly #names = new Map<string, number>()
  readonly #categories = new Map<string, number>()
  readonly #places = new Map<string, number>()
  #chunk: Uint8Array[] = []
  #chunkBytes = 0
  #track = 0n

  /** @param emit - Takes each chunk as it is complete. */
  constructor(processId: string, emit: (chunk: Uint8Array) => void) {
    this.#emit = emit
    this.#processUuid = xxh64(processId, 0n)
    this.#pid = BigInt.asIntN(32, this.#processUuid)
  }

  processDescriptor(exe: string): void {
    const process = new Proto().varint(1, this.#pid).text(6, exe)
    const track = new Proto().varint(1, this.#processUuid).message(3, process)
    this.#packet({ data: new Proto().message(60, track), flags: 3, isFirst: true })
  }

  threadDescriptor(streamId: string, threadId: number, name: string): void {
    const thread = new Proto().varint(1, this.#pid).varint(2, BigInt(threadId)).text(5, name)
    const track = new Proto().varint(1, xxh64(streamId, 0n)).message(4, thread).varint(5, this.#processUuid)
    this.#packet({ data: new Proto().message(60, track) })
  }

  asyncDescriptor(): void {
    const track = new Proto()
      .varint(1, this.#asyncUuid())
      .text(2, 'Async Operations')
      .varint(5, this.#processUuid)
    this.#packet({ data: new Proto().message(60, track) })
  }

  selectThread(streamId: string): void {
    this.#track = xxh64(streamId, 0n)
  }

  /** A track below that of all async spans; those of one name are shown as one. */
  laneDescriptor(lane: number, name: string): void {
    const track = new Proto().varint(1, this.#laneUuid(lane)).text(2, name).varint(5, this.#asyncUuid())
    this.#packet({ data: new Proto().message(60, track) })
  }

  selectLane(lane: number): void {
    this.#track = this.#laneUuid(lane)
  }

  span(beginNs: bigint, endNs: bigint, place: TracePlace): void {
    this.#event(beginNs, SLICE_BEGIN, place)
    this.#event(endNs, SLICE_END, place)
  }

  /** Ends the chunk. */
  flush(): void {
    if (this.#chunkBytes === 0) return
    this.#emit(Buffer.concat(this.#chunk))
    this.#chunk = []
    this.#chunkBytes = 0
  }

  #asyncUuid(): bigint {
    return xxh64('async_track', this.#processUuid)
  }

  #laneUuid(lane: number): bigint {
    return xxh64(`async_lane_${lane}`, this.#processUuid)
  }

  #event(timeNs: bigint, type: number, { name, target, filename, line }: TracePlace): void {
    const named = intern(this.#names, name)
    const category = intern(this.#categories, target)
    const source = intern(this.#places, `${line}:${filename}`)
    const event = new Proto()
      .varint(3, BigInt(category.id))
      .varint(9, BigInt(type))
      .varint(10, BigInt(named.id))
      .varint(11, this.#track)
      .varint(34, BigInt(source.id))
    const interned = new Proto()
    if (category.isNew) interned.message(1, new Proto().varint(1, BigInt(category.id)).text(2, target))
    if (named.isNew) interned.message(2, new Proto().varint(1, BigInt(named.id)).text(2, name))
    if (source.isNew) {
      interned.message(4, new Proto().varint(1, BigInt(source.id)).text(2, filename).varint(4, BigInt(line)))
    }
    this.#packet({ data: new Proto().message(11, event), timeNs, interned })
  }

  #packet(packet: {
    data: Proto
    timeNs?: bigint
    interned?: Proto
    flags?: number
    isFirst?: boolean
  }): void {
    const { data, timeNs, interned, flags = 2, isFirst } = packet
    if (timeNs !== undefined) data.varint(8, timeNs)
    data.varint(10, 1n)
    if (interned !== undefined && !interned.isEmpty) data.message(12, interned)
    data.varint(13, BigInt(flags))
    if (isFirst) data.varint(87, 1n)
    const bytes = data.bytes()
    this.#write(new Proto().head(1, 2).raw(BigInt(bytes.length)).bytes())
    this.#write(bytes)
  }

  #write(bytes: Uint8Array): void {
    this.#chunk.push(bytes)
    this.#chunkBytes += bytes.length
    if (this.#chunkBytes >= CHUNK_BYTES) this.flush()
  }
}

function intern(known: Map<string, number>, text: string): { readonly id: number; readonly isNew: boolean } {
  const id = known.get(text)
  if (id !== undefined) return { id, isNew: false }
  known.set(text, known.size + 1)
  return { id: known.size, isNew: true }
}

/** A protobuf message being written. */
class Proto {
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

const P1 = 0x9e3779b185ebca87n
const P2 = 0xc2b2ae3d27d4eb4fn
const P3 = 0x165667b19e3779f9n
const P4 = 0x85ebca77c2b2ae63n
const P5 = 0x27d4eb2f165667c5n

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const rotate = (value: bigint, bits: bigint): bigint => u64((value << bits) | (u64(value) >> (64n - bits)))
const round = (acc: bigint, input: bigint): bigint => u64(rotate(u64(acc + input * P2), 31n) * P1)

/** The 64-bit xxHash of a text. Source: the xxHash specification, "XXH64 algorithm description". */
export function xxh64(text: string, seed: bigint): bigint {
  const bytes = Buffer.from(text)
  let offset = 0
  let hash: bigint
  if (bytes.length >= 32) {
    const acc = [u64(seed + P1 + P2), u64(seed + P2), u64(seed), u64(seed - P1)]
    for (; offset + 32 <= bytes.length; offset += 32) {
      for (let i = 0; i < 4; i++) acc[i] = round(acc[i]!, bytes.readBigUInt64LE(offset + i * 8))
    }
    hash = u64(rotate(acc[0]!, 1n) + rotate(acc[1]!, 7n) + rotate(acc[2]!, 12n) + rotate(acc[3]!, 18n))
    for (const lane of acc) hash = u64((hash ^ round(0n, lane)) * P1 + P4)
  } else {
    hash = u64(seed + P5)
  }
  hash = u64(hash + BigInt(bytes.length))
  for (; offset + 8 <= bytes.length; offset += 8) {
    hash = u64(rotate(hash ^ round(0n, bytes.readBigUInt64LE(offset)), 27n) * P1 + P4)
  }
  if (offset + 4 <= bytes.length) {
    hash = u64(rotate(hash ^ u64(BigInt(bytes.readUInt32LE(offset)) * P1), 23n) * P2 + P3)
    offset += 4
  }
  for (; offset < bytes.length; offset++)
    hash = u64(rotate(hash ^ u64(BigInt(bytes[offset]!) * P5), 11n) * P1)
  hash = u64((hash ^ (hash >> 33n)) * P2)
  hash = u64((hash ^ (hash >> 29n)) * P3)
  return hash ^ (hash >> 32n)
}
