/** Reads a trace as Perfetto does: sorted by time, each end is that of the slice of its track that was opened last. */
export interface Trace {
  readonly slices: readonly Slice[]
  readonly instants: readonly Instant[]
  readonly values: readonly Value[]
  readonly arrows: readonly Arrow[]
  readonly tracks: ReadonlyMap<bigint, Track>
  readonly faults: readonly string[]
}

export interface Track {
  readonly name: string
  readonly parent: bigint
  readonly unit: string | number | undefined
}

export type Facts = Readonly<Record<string, unknown>>

interface Happening {
  readonly track: string
  readonly name: string
  readonly target: string
  readonly begin: bigint
  readonly facts: Facts
}

export interface Slice extends Happening {
  readonly place: string
  readonly end: bigint
}

export interface Instant extends Happening {
  /** The slices that are open around it on its track. */
  readonly within: readonly string[]
}

export interface Value {
  readonly track: string
  readonly time: bigint
  readonly value: number
  readonly facts: Facts
}

/** Between two slices or instants, by name and begin. */
export interface Arrow {
  readonly from: string
  readonly to: string
}

type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>

interface Event {
  readonly time: bigint
  readonly fields: Fields
}

/** The fields of a message: numbers as they are, all else as bytes. */
function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, (bigint | Buffer)[]>()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const head = Number(varint())
    const list = fields.get(head >> 3) ?? []
    fields.set(head >> 3, list)
    if ((head & 7) === 0) list.push(varint())
    else {
      const size = (head & 7) === 1 ? 8 : Number(varint())
      list.push(bytes.subarray(at, at + size))
      at += size
    }
  }
  if (at !== bytes.length) throw new Error(`a message of ${bytes.length} bytes goes on to ${at}`)
  return fields
}

const bytesAt = (fields: Fields, field: number): Buffer[] => (fields.get(field) ?? []) as Buffer[]
const messages = (fields: Fields, field: number): Fields[] => bytesAt(fields, field).map(fieldsOf)
const textAt = (fields: Fields, field: number): string | undefined => bytesAt(fields, field)[0]?.toString()
const numberAt = (fields: Fields, field: number): bigint => (fields.get(field)?.[0] ?? 0n) as bigint

export function readTrace(chunks: readonly Uint8Array[]): Trace {
  const interned: Record<number, Map<bigint, Fields>> = {
    1: new Map(),
    2: new Map(),
    3: new Map(),
    4: new Map(),
  }
  const tracks = new Map<bigint, Track>()
  const events: Event[] = []
  const faults: string[] = []
  /** By number or where it stands. */
  const text = (fields: Fields, list: number, number: number, direct: number): string => {
    if (!fields.has(number)) return textAt(fields, direct) ?? ''
    const found = interned[list]!.get(numberAt(fields, number))
    if (found === undefined) faults.push(`number ${numberAt(fields, number)} of list ${list} is not told`)
    return (found && textAt(found, 2)) ?? ''
  }
  const annotations = (fields: Fields, field: number): Facts =>
    Object.fromEntries(
      messages(fields, field).map((annotation) => [
        text(annotation, 3, 1, 10),
        annotation.has(11) ? annotations(annotation, 11) : textAt(annotation, 6),
      ]),
    )
  for (const packet of messages(fieldsOf(Buffer.concat(chunks)), 1)) {
    for (const data of messages(packet, 12)) {
      for (const list of [1, 2, 3, 4]) {
        for (const item of messages(data, list)) interned[list]!.set(numberAt(item, 1), item)
      }
    }
    for (const track of messages(packet, 60)) {
      const [process] = messages(track, 3)
      const [thread] = messages(track, 4)
      const [counter] = messages(track, 8)
      const name = textAt(track, 2) ?? (thread && textAt(thread, 5)) ?? (process && textAt(process, 6)) ?? ''
      const unit = counter && (textAt(counter, 6) ?? Number(numberAt(counter, 3)))
      tracks.set(numberAt(track, 1), { name, parent: numberAt(track, 5), unit })
    }
    for (const event of messages(packet, 11)) events.push({ time: numberAt(packet, 8), fields: event })
  }
  for (const { name, parent } of tracks.values())
    if (parent !== 0n && !tracks.has(parent)) faults.push(`track ${name} has no parent`)
  return { ...replay(events, tracks, { text, annotations, interned }, faults), tracks, faults }
}

interface Texts {
  readonly text: (fields: Fields, list: number, number: number, direct: number) => string
  readonly annotations: (fields: Fields, field: number) => Facts
  readonly interned: Readonly<Record<number, ReadonlyMap<bigint, Fields>>>
}

function replay(
  events: readonly Event[],
  tracks: ReadonlyMap<bigint, Track>,
  { text, annotations, interned }: Texts,
  faults: string[],
): Pick<Trace, 'slices' | 'instants' | 'values' | 'arrows'> {
  const [slices, instants, values, arrows]: [Slice[], Instant[], Value[], Arrow[]] = [[], [], [], []]
  const stacks = new Map<bigint, (Happening & { place: string })[]>()
  const flows = new Map<bigint, string>()
  for (const { time, fields } of [...events].sort((a, b) => Number(a.time - b.time))) {
    const uuid = numberAt(fields, 11)
    const track = tracks.get(uuid)?.name ?? faults.push(`track ${uuid} is not described`).toString()
    const stack = stacks.get(uuid) ?? []
    stacks.set(uuid, stack)
    const type = numberAt(fields, 9)
    const facts = annotations(fields, 4)
    if (type === 4n) {
      values.push({ track, time, value: bytesAt(fields, 44)[0]!.readDoubleLE(), facts })
      continue
    }
    if (type === 2n) {
      const opened = stack.pop()
      if (opened === undefined) faults.push(`an end at ${time} without a begin`)
      else slices.push({ ...opened, end: time })
      continue
    }
    const target = text(fields, 1, 3, 22)
    const happening = { track, name: text(fields, 2, 10, 23), target, begin: time, facts }
    for (const arrow of bytesAt(fields, 47)) flows.set(arrow.readBigUInt64LE(), keyOf(happening))
    for (const arrow of bytesAt(fields, 48)) {
      const from = flows.get(arrow.readBigUInt64LE())
      if (from === undefined) faults.push(`an arrow to ${happening.name} from nowhere`)
      else arrows.push({ from, to: keyOf(happening) })
      flows.delete(arrow.readBigUInt64LE())
    }
    if (type === 3n) {
      instants.push({ ...happening, within: stack.map(({ name }) => name) })
      continue
    }
    const source = fields.has(34) ? interned[4]!.get(numberAt(fields, 34))! : messages(fields, 33)[0]!
    stack.push({ ...happening, place: `${textAt(source, 2)}:${numberAt(source, 4)}` })
  }
  for (const stack of stacks.values())
    if (stack.length > 0) faults.push(`${stack.length} slices are never ended`)
  if (flows.size > 0) faults.push(`${flows.size} arrows end nowhere`)
  return { slices, instants, values, arrows }
}

export const keyOf = ({ name, begin }: { readonly name: string; readonly begin: bigint }): string =>
  `${name} ${begin}`
