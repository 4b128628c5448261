import { Interned } from './interned.ts'
import { Proto } from './proto.ts'
import { xxh64 } from './xxh64.ts'

/** What an event of a trace says besides its time. */
export interface TraceEvent {
  readonly name: string
  readonly target: string
  readonly filename?: string | undefined
  readonly line?: number | undefined
  readonly annotations?: Annotations | undefined
  /** Arrows that go out from here, and those that end here, by their numbers. */
  readonly arrowsOut?: readonly number[] | undefined
  readonly arrowsIn?: readonly number[] | undefined
}

/** Names with texts, or with names with texts. */
export type Annotations = readonly (readonly [name: string, value: string | Annotations])[]

/** A track without events of its own threads. */
export interface TrackFacts {
  readonly name: string
  readonly parent?: bigint | undefined
  readonly description?: string | undefined
  readonly counter?: { readonly unit: string } | undefined
}

const SLICE_BEGIN = 1
const SLICE_END = 2
const INSTANT = 3
const COUNTER = 4
/** Units that Perfetto has numbers for; it shows the text of any other. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['count', 2],
  ['1', 2],
  ['bytes', 3],
  ['By', 3],
])
/** A chunk ends once it has so many bytes. */
const CHUNK_BYTES = 8 * 1024

/**
 * Writes a trace of Perfetto's protobuf format (protos/perfetto/trace), as the reference's writer does: each packet is a
 * field of the trace, so that chunks put one after the other are the trace. Events need no order: Perfetto sorts them, and keeps the
 * order of the file among those of one time.
 */
export class PerfettoWriter {
  readonly #emit: (chunk: Uint8Array) => void
  readonly #pid: bigint
  readonly #names = new Interned()
  readonly #categories = new Interned()
  readonly #places = new Interned()
  readonly #annotationNames = new Interned()
  readonly #packet = new Proto()
  readonly #event = new Proto()
  readonly #new = new Proto()
  readonly #part = new Proto()
  readonly #chunk = new Proto()
  #isFirst = true
  /** The track of the process. */
  readonly root: bigint

  /** @param emit - Takes each chunk as it is complete. */
  constructor(processId: string, emit: (chunk: Uint8Array) => void) {
    this.#emit = emit
    this.root = xxh64(processId, 0n)
    this.#pid = BigInt.asIntN(32, this.root)
  }

  processDescriptor(exe: string): void {
    const process = new Proto().varint(1, this.#pid).text(6, exe)
    this.#describe(new Proto().varint(1, this.root).message(3, process))
  }

  /** @returns The track of the thread. */
  threadDescriptor(streamId: string, threadId: bigint, name: string): bigint {
    const track = xxh64(streamId, 0n)
    const thread = new Proto().varint(1, this.#pid).varint(2, threadId).text(5, name)
    this.#describe(new Proto().varint(1, track).message(4, thread).varint(5, this.root))
    return track
  }

  /**
   * @param key - Unique among the tracks of the process.
   * @returns The track.
   */
  trackDescriptor(key: string, { name, parent, description, counter }: TrackFacts): bigint {
    const track = xxh64(key, this.root)
    const proto = new Proto()
      .varint(1, track)
      .text(2, name)
      .varint(5, parent ?? this.root)
    if (description !== undefined) proto.text(14, description)
    if (counter !== undefined) proto.message(8, counterProto(counter.unit))
    this.#describe(proto)
    return track
  }

  span(track: bigint, beginNs: bigint, endNs: bigint, event: TraceEvent): void {
    this.#write(beginNs, this.#begin(track, SLICE_BEGIN, event))
    this.#event.reset().number(9, SLICE_END).varint(11, track)
    this.#write(endNs, this.#event)
  }

  instant(track: bigint, timeNs: bigint, event: TraceEvent): void {
    this.#write(timeNs, this.#begin(track, INSTANT, event))
  }

  count(track: bigint, timeNs: bigint, value: number, annotations: Annotations | undefined): void {
    const event = this.#event.reset().number(9, COUNTER).varint(11, track).double(44, value)
    for (const [name, text] of annotations ?? []) event.message(4, this.#annotation(name, text))
    this.#write(timeNs, event)
  }

  /** Ends the chunk. */
  flush(): void {
    if (this.#chunk.isEmpty) return
    this.#emit(this.#chunk.bytes())
    this.#chunk.reset()
  }

  #begin(track: bigint, type: number, event: TraceEvent): Proto {
    const { name, target, filename, line = 0, annotations, arrowsOut, arrowsIn } = event
    const proto = this.#event.reset().number(9, type).varint(11, track)
    this.#internedText(proto, this.#categories, target, { list: 1, number: 3, text: 22 })
    this.#internedText(proto, this.#names, name, { list: 2, number: 10, text: 23 })
    if (filename !== undefined) this.#place(proto, filename, line)
    for (const [key, value] of annotations ?? []) proto.message(4, this.#annotation(key, value))
    for (const arrow of arrowsOut ?? []) proto.fixed64(47, this.#flow(arrow))
    for (const arrow of arrowsIn ?? []) proto.fixed64(48, this.#flow(arrow))
    return proto
  }

  #internedText(
    proto: Proto,
    interned: Interned,
    text: string,
    fields: { readonly list: number; readonly number: number; readonly text: number },
  ): void {
    const number = interned.numberOf(text)
    if (number === 0) {
      proto.text(fields.text, text)
      return
    }
    proto.number(fields.number, Math.abs(number))
    if (number < 0) this.#new.message(fields.list, this.#part.reset().number(1, -number).text(2, text))
  }

  #place(proto: Proto, filename: string, line: number): void {
    const number = this.#places.numberOf(`${line}:${filename}`)
    const place = this.#part.reset()
    if (number === 0) {
      proto.message(33, place.text(2, filename).number(4, line))
      return
    }
    proto.number(34, Math.abs(number))
    if (number < 0) this.#new.message(4, place.number(1, -number).text(2, filename).number(4, line))
  }

  #annotation(name: string, value: string | Annotations): Proto {
    const proto = new Proto()
    this.#internedText(proto, this.#annotationNames, name, { list: 3, number: 1, text: 10 })
    if (typeof value === 'string') return proto.text(6, value)
    for (const [key, inner] of value) proto.message(11, this.#annotation(key, inner))
    return proto
  }

  /** Arrows of different processes differ too, should traces be put together. */
  #flow(arrow: number): bigint {
    return this.root ^ BigInt(arrow)
  }

  #describe(track: Proto): void {
    this.#finish(this.#packet.reset().message(60, track))
  }

  #write(timeNs: bigint, event: Proto): void {
    this.#finish(this.#packet.reset().message(11, event).varint(8, timeNs))
  }

  #finish(packet: Proto): void {
    packet.number(10, 1)
    if (!this.#new.isEmpty) {
      packet.message(12, this.#new)
      this.#new.reset()
    }
    // What later packets refer to is told from here on; only the first packet forgets what was told before.
    packet.number(13, this.#isFirst ? 3 : 2)
    if (this.#isFirst) packet.number(87, 1)
    this.#isFirst = false
    this.#chunk.message(1, packet)
    if (this.#chunk.length >= CHUNK_BYTES) this.flush()
  }
}

function counterProto(unit: string): Proto {
  const proto = new Proto()
  const known = UNITS.get(unit)
  if (known !== undefined) return proto.number(3, known)
  return unit === '' ? proto : proto.text(6, unit)
}
