import type { SealedBlock } from '../model/event-sink.ts'
import type { ProcessInfo } from '../model/process-info.ts'
import { BlockParser } from '../transit/parser.ts'
import type { TransitObject } from '../transit/value.ts'
import { type AsyncSpanEvent, pairAsyncSpans, readAsyncSpanEvents } from './decode/async-spans.ts'
import { EVENT_READERS } from './decode/event-readers.ts'
import { type DecodedImage, readImages } from './decode/images.ts'
import { type DecodedLogEntry, readLogEntries } from './decode/log-entries.ts'
import { type DecodedMeasure, readMeasures } from './decode/measures.ts'
import type { SpanRow } from './decode/span-place.ts'
import { rebuildThreadSpans } from './decode/thread-spans.ts'
import { TickConverter } from './decode/tick-converter.ts'

/** A block as it was sealed, and whose it is. */
export interface RecordedBlock {
  readonly block: SealedBlock
  readonly process: ProcessInfo
}

/** The log events of blocks, in their order. All functions here throw `ERR_TELEMETRY_FORMAT` for a corrupt block. */
export function logsOf(blocks: readonly RecordedBlock[]): DecodedLogEntry[] {
  return read(blocks, readLogEntries)
}

export function measuresOf(blocks: readonly RecordedBlock[]): DecodedMeasure[] {
  return read(blocks, readMeasures)
}

export function imagesOf(blocks: readonly RecordedBlock[]): DecodedImage[] {
  return read(blocks, readImages)
}

/** Those that have ended, in order of their begin. */
export function asyncSpansOf(blocks: readonly RecordedBlock[]): readonly SpanRow[] {
  return pairAsyncSpans(read<AsyncSpanEvent>(blocks, readAsyncSpanEvents)).spans
}

/** Parents before their children, thread by thread. One that is still open ends with the last block. */
export function threadSpansOf(blocks: readonly RecordedBlock[]): SpanRow[] {
  const byStream = new Map<string, RecordedBlock[]>()
  for (const recorded of blocks) {
    const { streamId } = recorded.block.stream
    const stream = byStream.get(streamId)
    if (stream === undefined) byStream.set(streamId, [recorded])
    else stream.push(recorded)
  }
  return [...byStream.values()].flatMap((stream) => {
    const { process } = stream[0]!
    const rows = rebuildThreadSpans(
      stream.map(({ block }) => ({
        blockId: block.blockId,
        beginTicks: block.beginTicks - process.startTicks,
        endTicks: block.endTicks - process.startTicks,
        objectOffset: BigInt(block.objectOffset),
        objects: parse(block),
      })),
      new TickConverter(process),
      '',
    )
    return rows.filter((row) => row.depth > 0) // the row of depth 0 stands for the thread itself
  })
}

function read<T>(
  blocks: readonly RecordedBlock[],
  readEvents: (objects: Iterable<TransitObject>, ticks: TickConverter) => Iterable<T>,
): T[] {
  return blocks.flatMap(({ block, process }) => [...readEvents(parse(block), new TickConverter(process))])
}

function parse({ stream, dependencies, objects }: SealedBlock): Iterable<TransitObject> {
  return new BlockParser(stream, EVENT_READERS).parse(dependencies, objects)
}
