import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type AsyncSpanEvent,
  type DecodedImage,
  type DecodedLogEntry,
  type DecodedMeasure,
  readAsyncSpanEvents,
  readImages,
  readLogEntries,
  readMeasures,
  readThreadSpanEvents,
  type ThreadSpanEvent,
} from 'micromegas/wire'
import type { OpenBlock } from './catalog.ts'

/** Without its place in the block, of which only a part is read at a time. */
export type ThreadSpanEdge = Omit<ThreadSpanEvent, 'index'>

/** The events of a block as the views of its stream's tags show them. */
export interface BlockEvents {
  readonly logs: readonly DecodedLogEntry[]
  readonly measures: readonly DecodedMeasure[]
  readonly threadSpans: readonly ThreadSpanEdge[]
  readonly asyncSpans: readonly AsyncSpanEvent[]
  readonly images: readonly DecodedImage[]
  /** Events in the block, those that no view shows included. */
  readonly count: number
  /** Names of event types that the views of this stream do not know. */
  readonly unknownTypes: ReadonlySet<string>
}

/** Events read in one turn of the event loop: some milliseconds. A block may have a million. */
const EVENTS_PER_TURN = 2000

/**
 * Reads a whole block, and lets other things be done in between.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when any of its events cannot be read.
 */
export async function readBlockEvents(block: OpenBlock): Promise<BlockEvents> {
  const { ticks } = block
  const unknownTypes = new Set<string>()
  const options = { onUnknown: (typeName: string) => unknownTypes.add(typeName) }
  const has = (tag: string): boolean => block.stream.tags.includes(tag)
  const [logs, measures, threadSpans, asyncSpans, images]: [
    DecodedLogEntry[],
    DecodedMeasure[],
    ThreadSpanEdge[],
    AsyncSpanEvent[],
    DecodedImage[],
  ] = [[], [], [], [], []]
  let count = 0
  for (const objects of slices(block.objects(), EVENTS_PER_TURN)) {
    if (count > 0) await nextTurn()
    count += objects.length
    if (has('log')) for (const log of readLogEntries(objects, ticks, options)) logs.push(log)
    if (has('metrics')) for (const measure of readMeasures(objects, ticks, options)) measures.push(measure)
    if (has('cpu')) {
      for (const event of readThreadSpanEvents(objects, ticks, options)) threadSpans.push(event)
      for (const event of readAsyncSpanEvents(objects, ticks, options)) asyncSpans.push(event)
    }
    if (has('image')) for (const image of readImages(objects, ticks, options)) images.push(image)
  }
  return { logs, measures, threadSpans, asyncSpans, images, count, unknownTypes }
}

function* slices<T>(items: Iterable<T>, length: number): Generator<T[]> {
  let slice: T[] = []
  for (const item of items) {
    slice.push(item)
    if (slice.length < length) continue
    yield slice
    slice = []
  }
  if (slice.length > 0) yield slice
}
