import type { ProcessInfo } from '../../../src/model/process-info.ts'
import {
  type AsyncSpanEvent,
  type AsyncSpans,
  pairAsyncSpans,
  readAsyncSpanEvents,
} from '../../../src/telemetry/decode/async-spans.ts'
import {
  type DecodedBlock,
  type DecodedStream,
  decodeBlock,
  decodeProcess,
  decodeStream,
} from '../../../src/telemetry/decode/decoder.ts'
import { EVENT_READERS } from '../../../src/telemetry/decode/event-readers.ts'
import { type DecodedLogEntry, readLogEntries } from '../../../src/telemetry/decode/log-entries.ts'
import { type DecodedMeasure, readMeasures } from '../../../src/telemetry/decode/measures.ts'
import { TickConverter } from '../../../src/telemetry/decode/tick-converter.ts'
import { decompressFrame } from '../../../src/telemetry/lz4/lz4-frame.ts'
import { BlockParser } from '../../../src/transit/parser.ts'
import type { TransitObject } from '../../../src/transit/value.ts'
import type { ReceivedRequest } from '../../sink/support/service.ts'

/**
 * What a test server was sent, read. A block that came twice counts once, as it does on a real server,
 * and the blocks of a stream are read in the order they were recorded in: uploads overtake each other.
 */
export class Received {
  readonly processes: ProcessInfo[] = []
  readonly logs: DecodedLogEntry[] = []
  readonly measures: DecodedMeasure[] = []
  /** Type names of the span and image events. */
  readonly others: string[] = []
  readonly #asyncEvents: AsyncSpanEvent[] = []
  readonly #streams = new Map<string, DecodedStream>()

  constructor(requests: readonly ReceivedRequest[]) {
    const seen = new Set<string>()
    const of = (insert: string) =>
      requests.filter((request) => request.insert === insert && !seen.has(request.id) && seen.add(request.id))
    for (const { body } of of('process')) this.processes.push(decodeProcess(body))
    for (const { body } of of('stream')) this.#addStream(decodeStream(body))
    const blocks = of('block').map(({ body }) => decodeBlock(body))
    blocks.sort((a, b) => Number(a.objectOffset - b.objectOffset))
    for (const block of blocks) this.#readBlock(block)
  }

  /** Messages of the logs of one target, in the order of their blocks. */
  messages(target: string): string[] {
    return this.logs.filter((entry) => entry.target === target).map((entry) => entry.msg)
  }

  asyncSpans(): AsyncSpans {
    return pairAsyncSpans(this.#asyncEvents)
  }

  #addStream(stream: DecodedStream): void {
    this.#streams.set(stream.streamId, stream)
  }

  #readBlock(block: DecodedBlock): void {
    const stream = this.#streams.get(block.streamId)!
    const process = this.processes.find(({ processId }) => processId === block.processId)!
    const objects: TransitObject[] = [
      ...new BlockParser(stream, EVENT_READERS).parse(
        decompressFrame(block.dependencies),
        decompressFrame(block.objects),
      ),
    ]
    const ticks = new TickConverter(process)
    if (stream.tags.includes('log')) this.logs.push(...readLogEntries(objects, ticks))
    else if (stream.tags.includes('metrics')) this.measures.push(...readMeasures(objects, ticks))
    else {
      this.others.push(...objects.map(({ typeName }) => typeName))
      if (stream.tags.includes('cpu')) this.#asyncEvents.push(...readAsyncSpanEvents(objects, ticks))
    }
  }
}
