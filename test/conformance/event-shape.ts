import type { StreamKind } from '../../src/model/event-sink.ts'
import type { Decoded, DecodedBlock, DecodedRecord, DecodedValue } from './decoded.ts'
import type { ExpectedEvents, ExpectedRecord } from './script/expected.ts'

/** The decoded events of a process by stream kind, in order, in the form of what the script expects. */
export function eventsByKind(decoded: Decoded, processId: string): ExpectedEvents {
  const events: ExpectedEvents = { log: [], metrics: [], cpu: [], image: [] }
  for (const stream of decoded.streams.filter((stream) => stream.processId === processId)) {
    const kind = stream.tags[0] as StreamKind
    events[kind].push(...blocksOf(decoded, stream.streamId).flatMap((block) => block.events.map(withoutIds)))
  }
  return events
}

/** The blocks of a stream, in the order in which they were recorded. */
export function blocksOf(decoded: Decoded, streamId: string): DecodedBlock[] {
  return decoded.blocks
    .filter((block) => block.streamId === streamId)
    .sort((a, b) => Number(a.objectOffset - b.objectOffset))
}

/** Leaves out what differs from run to run; see {@link ExpectedRecord}. */
function withoutIds(record: DecodedRecord): ExpectedRecord {
  const plain: Record<string, unknown> = {}
  for (const [name, value] of record.members) {
    if (name !== 'id' && name !== 'time') plain[name] = toPlain(value)
  }
  // Lines change with every edit of the script; where there is a file they are there.
  if (plain.file && Number(plain.line) > 0) plain.line = 'a line'
  return { ...plain, type: record.typeName }
}

function toPlain(value: DecodedValue): unknown {
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) return value
  if ('kind' in value) return value.value
  return 'typeName' in value ? withoutIds(value) : value
}
