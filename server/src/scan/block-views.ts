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

/** The events of a block as the views of its stream's tags show them. */
export interface BlockEvents {
  readonly logs: readonly DecodedLogEntry[]
  readonly measures: readonly DecodedMeasure[]
  readonly threadSpans: readonly ThreadSpanEvent[]
  readonly asyncSpans: readonly AsyncSpanEvent[]
  readonly images: readonly DecodedImage[]
  /** Events in the block, those that no view shows included. */
  readonly count: number
  /** Names of event types that the views of this stream do not know. */
  readonly unknownTypes: ReadonlySet<string>
}

/**
 * Reads a whole block.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when any of its events cannot be read.
 */
export function readBlockEvents(block: OpenBlock): BlockEvents {
  const objects = [...block.objects()]
  const { ticks } = block
  const unknownTypes = new Set<string>()
  const options = { onUnknown: (typeName: string) => unknownTypes.add(typeName) }
  const has = (tag: string): boolean => block.stream.tags.includes(tag)
  return {
    logs: has('log') ? [...readLogEntries(objects, ticks, options)] : [],
    measures: has('metrics') ? [...readMeasures(objects, ticks, options)] : [],
    threadSpans: has('cpu') ? [...readThreadSpanEvents(objects, ticks, options)] : [],
    asyncSpans: has('cpu') ? [...readAsyncSpanEvents(objects, ticks, options)] : [],
    images: has('image') ? [...readImages(objects, ticks, options)] : [],
    count: objects.length,
    unknownTypes,
  }
}
