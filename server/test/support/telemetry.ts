import { randomUUID } from 'node:crypto'
import type { StreamInfo, StreamKind } from '../../../src/model/event-sink.ts'
import type { ProcessInfo } from '../../../src/model/process-info.ts'
import { createTelemetryEncoder } from '../../../src/telemetry/encoder.ts'
import type { RecordTypes } from '../../../src/transit/parser.ts'
import { CPU_TYPES, strings } from '../../../test/telemetry/sample-blocks.ts'
import { IMAGE_TYPES, LOG_STREAM, METRICS_TYPES, PROCESS } from '../../../test/telemetry/worked-examples.ts'
import { type Section, section } from '../../../test/transit/section.ts'

const encoder = createTelemetryEncoder()

/** 2024-01-01T00:00:00Z, the start of every process here, in nanoseconds. */
export const START_NS = 1_704_067_200_000_000_000n

/** A process with an id of its own, whose ticks are nanoseconds since {@link START_NS}. */
export function process(changes: Partial<ProcessInfo> = {}): ProcessInfo {
  return { ...PROCESS, processId: randomUUID(), startTicks: 0n, ...changes }
}

export function stream(owner: ProcessInfo, kind: StreamKind): StreamInfo {
  return { ...TYPES[kind], streamId: randomUUID(), processId: owner.processId, kind, properties: {} }
}

const TYPES: Readonly<Record<StreamKind, RecordTypes>> = {
  log: LOG_STREAM,
  metrics: METRICS_TYPES,
  cpu: CPU_TYPES,
  image: IMAGE_TYPES,
}

export interface Block {
  readonly blockId: string
  readonly body: Uint8Array
}

export interface BlockPart {
  readonly beginTicks: number
  readonly endTicks: number
  readonly dependencies: Section
  readonly objects: Section
  readonly eventCount: number
  readonly objectOffset?: number
  readonly blockId?: string
}

export function block(owner: ProcessInfo, of: StreamInfo, part: BlockPart): Block {
  const blockId = part.blockId ?? randomUUID()
  const body = encoder.encodeBlockSync(
    {
      blockId,
      stream: of,
      beginTicks: BigInt(part.beginTicks) + owner.startTicks,
      endTicks: BigInt(part.endTicks) + owner.startTicks,
      dependencies: part.dependencies.done(),
      objects: part.objects.done(),
      eventCount: part.eventCount,
      objectOffset: part.objectOffset ?? 0,
    },
    owner,
  )
  return { blockId, body }
}

export function processBody(info: ProcessInfo): Uint8Array {
  return encoder.encodeProcess(info)
}

export function streamBody(info: StreamInfo): Uint8Array {
  return encoder.encodeStream(info)
}

export interface LogLine {
  /** Nanoseconds after {@link START_NS}. */
  readonly at: number
  readonly level?: number
  readonly target?: string
  readonly message: string
  readonly properties?: Readonly<Record<string, string>>
}

/** A block of a log stream that covers the time from its first line to its last, or what `edges` says. */
export function logBlock(
  owner: ProcessInfo,
  of: StreamInfo,
  lines: readonly LogLine[],
  edges: Partial<BlockPart> = {},
): Block {
  const texts = ['']
  const id = (value: string): number => {
    if (!texts.includes(value)) texts.push(value)
    return texts.indexOf(value) + 1
  }
  const objects = section()
  const sets: Section[] = []
  for (const { at, level = 4, target = 'app', message, properties = {} } of lines) {
    const pairs = Object.entries(properties).flatMap(([key, value]) => [id(key), id(value)])
    const set = 1000 + sets.length
    sets.push(
      section()
        .u64(set)
        .u32(pairs.length / 2)
        .u64(...pairs),
    )
    objects.dynamic(4, section().u64(at).u8(level).u64(id(target)).u64(set).text(message))
  }
  const dependencies = strings(...texts)
  for (const set of sets) dependencies.dynamic(2, set)
  const times = lines.map(({ at }) => at)
  return block(owner, of, {
    beginTicks: times.reduce((a, b) => Math.min(a, b)),
    endTicks: times.reduce((a, b) => Math.max(a, b)),
    dependencies,
    objects,
    eventCount: lines.length,
    ...edges,
  })
}

/** A block of the float metric `name` in ms, target `app`. */
export function metricBlock(
  owner: ProcessInfo,
  of: StreamInfo,
  name: string,
  values: readonly (readonly [at: number, value: number])[],
): Block {
  const dependencies = section()
  for (const [index, value] of [name, 'ms', 'app', 'main.ts'].entries())
    dependencies.dynamic(
      1,
      section()
        .u64(index + 1)
        .text(value),
    )
  dependencies.u8(2).u64(5, 1, 2, 3, 4).u32(7).u32(2)
  const objects = section()
  for (const [at, value] of values) objects.u8(1).u64(5).f64(value).u64(at)
  const times = values.map(([at]) => at)
  return block(owner, of, {
    beginTicks: times.reduce((a, b) => Math.min(a, b)),
    endTicks: times.reduce((a, b) => Math.max(a, b)),
    dependencies,
    objects,
    eventCount: values.length,
  })
}

export type SpanEvent =
  | readonly ['begin' | 'end', name: string, at: number]
  | readonly [
      'async begin' | 'async end',
      name: string,
      at: number,
      id: number,
      parent: number,
      depth: number,
    ]

/** A block of a `cpu` stream. */
export function spanBlock(
  owner: ProcessInfo,
  of: StreamInfo,
  events: readonly SpanEvent[],
  edges: Partial<BlockPart> = {},
): Block {
  const names = [...new Set(events.map(([, name]) => name))]
  const dependencies = strings('app', 'mod', 'a.ts', ...names)
  for (const [index] of names.entries())
    dependencies
      .u8(1)
      .u64(100 + index, 4 + index, 1, 2, 3)
      .u32(42)
      .u32(3)
  const objects = section()
  const types = { begin: 0, end: 1, 'async begin': 4, 'async end': 5 }
  for (const event of events) {
    const desc = 100 + names.indexOf(event[1])
    objects.u8(types[event[0]]).u64(desc)
    if (event.length === 3) objects.u64(event[2])
    else objects.u64(event[3], event[4], event[2]).u32(event[5])
  }
  const times = events.map(([, , at]) => at)
  return block(owner, of, {
    beginTicks: times.reduce((a, b) => Math.min(a, b)),
    endTicks: times.reduce((a, b) => Math.max(a, b)),
    dependencies,
    objects,
    eventCount: events.length,
    ...edges,
  })
}

export function imageBlock(
  owner: ProcessInfo,
  of: StreamInfo,
  at: number,
  name: string,
  data: Uint8Array,
  format = 'png',
): Block {
  const image = section().u64(at).text(name).text(format).u32(data.length).raw(data)
  return block(owner, of, {
    beginTicks: at,
    endTicks: at,
    dependencies: section(),
    objects: section().dynamic(0, image),
    eventCount: 1,
  })
}
