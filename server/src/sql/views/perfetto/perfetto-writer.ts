import { Interned } from './interned.ts'
import { Proto } from './proto.ts'
import { xxh64 } from './xxh64.ts'

/** A place of the code, as a trace names it. */
export interface TracePlace {
  readonly name: string
  readonly target: string
  readonly filename: string
  readonly line: number
}

/** Properties of a span or a log. */
export type Annotations = Readonly<Record<string, string>>

/** A log, as a trace shows it. */
export interface TraceLog {
  /** Of this platform, 1 (fatal) to 6 (trace). */
  readonly level: number
  readonly target: string
  readonly message: string
  readonly properties: Annotations
}

/** What a counter is called; its track lies below that of its target. */
export interface TraceCounter {
  readonly name: string
  readonly target: string
  readonly unit: string
}

const SLICE_BEGIN = 1n
const SLICE_END = 2n
const INSTANT = 3n
const COUNTER = 4n
/** `AndroidLogPriority` of the levels 1 (fatal) to 6 (trace). */
const PRIORITIES = [0n, 7n, 6n, 5n, 4n, 3n, 2n]
/** No thread of Linux has such a number. Perfetto lists only logs that lie on a thread. */
const LOG_THREAD = 0x7fff_ffffn
/** Of a log's message, what names it on its track. */
const MAX_LABEL_CHARS = 128
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
  // Fields of `InternedData`.
  readonly #categories = new Interned(1)
  readonly #names = new Interned(2)
  readonly #annotationNames = new Interned(3)
  readonly #places = new Interned(4)
  readonly #messages = new Interned(20)
  #chunk: Uint8Array[] = []
  #chunkBytes = 0
  #track = 0n

  /** @param emit - Takes each chunk as it is complete. */
  constructor(processId: string, emit: (chunk: Uint8Array) => void) {
    this.#emit = emit
    this.#processUuid = xxh64(processId, 0n)
    this.#pid = BigInt.asIntN(32, this.#processUuid)
  }

  processDescriptor(exe: string, properties: Annotations): void {
    const process = new Proto().varint(1, this.#pid).text(6, exe)
    for (const [key, value] of Object.entries(properties)) process.text(8, `${key}=${value}`)
    const track = new Proto().varint(1, this.#processUuid).message(3, process)
    this.#packet(new Proto().message(60, track), { isFirst: true })
  }

  threadDescriptor(streamId: string, threadId: number, name: string): void {
    this.#threadTrack(xxh64(streamId, 0n), BigInt(threadId), name)
  }

  asyncDescriptor(): void {
    this.#trackDescriptor(this.#uuidOf('async_track'), 'Async Operations', this.#processUuid)
  }

  /** A track below that of all async spans; those of one name are shown as one. */
  laneDescriptor(lane: number, name: string): void {
    this.#trackDescriptor(this.#uuidOf(`async_lane_${lane}`), name, this.#uuidOf('async_track'))
  }

  logsDescriptor(): void {
    this.#threadTrack(this.#uuidOf('logs'), LOG_THREAD, 'Logs')
  }

  /** A group of counters. */
  countersDescriptor(target: string): void {
    this.#trackDescriptor(this.#uuidOf(`counters_${target}`), `Metrics ${target}`, this.#processUuid)
  }

  counterDescriptor(counter: number, { name, target, unit }: TraceCounter): void {
    const track = new Proto()
      .varint(1, this.#uuidOf(`counter_${counter}`))
      .text(2, name)
      .varint(5, this.#uuidOf(`counters_${target}`))
      .message(8, new Proto().text(6, unit))
    this.#packet(new Proto().message(60, track))
  }

  selectThread(streamId: string): void {
    this.#track = xxh64(streamId, 0n)
  }

  selectLane(lane: number): void {
    this.#track = this.#uuidOf(`async_lane_${lane}`)
  }

  /**
   * @param flows - Of the arrows that leave it.
   * @param arrival - Of the arrow that ends at it.
   */
  span(
    beginNs: bigint,
    endNs: bigint,
    place: TracePlace,
    properties: Annotations,
    flows: readonly bigint[] = [],
    arrival?: bigint,
  ): void {
    const begin = this.#event(SLICE_BEGIN, this.#track).varint(3, this.#category(place.target))
    this.#annotate(begin, properties)
    begin.varint(
      10,
      this.#names.idOf(place.name, (entry) => entry.text(2, place.name)),
    )
    begin.varint(34, this.#place(place))
    for (const flow of flows) begin.fixed64(47, flow)
    if (arrival !== undefined) begin.fixed64(48, arrival)
    this.#eventPacket(beginNs, begin)
    this.#eventPacket(endNs, this.#event(SLICE_END, this.#track))
  }

  /** An instant on the track of logs, which Perfetto's table of logs has too. */
  log(timeNs: bigint, { level, target, message, properties }: TraceLog): void {
    const event = this.#event(INSTANT, this.#uuidOf('logs')).varint(3, this.#category(target))
    this.#annotate(event, properties)
    const body = this.#messages.idOf(message, (entry) => entry.text(2, message))
    // The table shows the file of the source place as the tag of a log.
    const place = this.#place({ name: '', target, filename: target, line: 0 })
    event.message(
      21,
      new Proto()
        .varint(1, place)
        .varint(2, body)
        .varint(3, PRIORITIES[level] ?? 0n),
    )
    event.text(23, message.length > MAX_LABEL_CHARS ? `${message.slice(0, MAX_LABEL_CHARS)}…` : message)
    this.#eventPacket(timeNs, event)
  }

  count(timeNs: bigint, counter: number, value: number): void {
    this.#eventPacket(timeNs, this.#event(COUNTER, this.#uuidOf(`counter_${counter}`)).double(44, value))
  }

  /** Ends the chunk. */
  flush(): void {
    if (this.#chunkBytes === 0) return
    this.#emit(Buffer.concat(this.#chunk))
    this.#chunk = []
    this.#chunkBytes = 0
  }

  #threadTrack(uuid: bigint, threadId: bigint, name: string): void {
    const thread = new Proto().varint(1, this.#pid).varint(2, threadId).text(5, name)
    const track = new Proto().varint(1, uuid).message(4, thread).varint(5, this.#processUuid)
    this.#packet(new Proto().message(60, track))
  }

  #trackDescriptor(uuid: bigint, name: string, parent: bigint): void {
    this.#packet(new Proto().message(60, new Proto().varint(1, uuid).text(2, name).varint(5, parent)))
  }

  readonly #uuids = new Map<string, bigint>()

  /** Of a track that only this process has. Their number is that of lanes and counters. */
  #uuidOf(track: string): bigint {
    let uuid = this.#uuids.get(track)
    if (uuid === undefined) {
      uuid = xxh64(track, this.#processUuid)
      this.#uuids.set(track, uuid)
    }
    return uuid
  }

  #event(type: bigint, track: bigint): Proto {
    return new Proto().varint(9, type).varint(11, track)
  }

  #category(target: string): bigint {
    return this.#categories.idOf(target, (entry) => entry.text(2, target))
  }

  #place({ filename, line }: TracePlace): bigint {
    return this.#places.idOf(`${line}:${filename}`, (entry) =>
      entry.text(2, filename).varint(4, BigInt(line)),
    )
  }

  #annotate(event: Proto, properties: Annotations): void {
    for (const [key, value] of Object.entries(properties)) {
      const name = this.#annotationNames.idOf(key, (entry) => entry.text(2, key))
      event.message(4, new Proto().varint(1, name).text(6, value))
    }
  }

  #eventPacket(timeNs: bigint, event: Proto): void {
    const interned = new Proto()
    for (const kind of [this.#categories, this.#names, this.#annotationNames, this.#places, this.#messages]) {
      kind.writeFresh(interned)
    }
    this.#packet(new Proto().message(11, event), { timeNs, interned })
  }

  #packet(
    data: Proto,
    {
      timeNs,
      interned,
      isFirst = false,
    }: {
      readonly timeNs?: bigint
      readonly interned?: Proto
      readonly isFirst?: boolean
    } = {},
  ): void {
    if (timeNs !== undefined) data.varint(8, timeNs)
    data.varint(10, 1n)
    if (interned !== undefined && !interned.isEmpty) data.message(12, interned)
    data.varint(13, isFirst ? 3n : 2n)
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
