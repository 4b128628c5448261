import { memberAsI64 } from '../../transit/coercions.ts'
import { formatError, locateError } from '../../transit/format-error.ts'
import type { TransitObject } from '../../transit/value.ts'
import type { EventOptions } from '../event-options.ts'
import { type DecodedProperties, NO_PROPERTIES } from './properties.ts'
import { endPropertiesOf, placeOf, SPAN_EVENT_TYPES } from './span-event-types.ts'
import { isSamePlace, type SpanPlace, type SpanRow } from './span-place.ts'
import type { TickConverter } from './tick-converter.ts'

/** One begin or end of a synchronous span. */
export interface ThreadSpanEvent {
  readonly phase: 'begin' | 'end'
  /** Nanoseconds since the Unix epoch. */
  readonly timeNs: bigint
  /** Index of the event in its block; async events and unknown ones count too. */
  readonly index: number
  readonly place: SpanPlace
  /** Only ends have some. Frozen, and shared by the events of a block that have the same property set. */
  readonly properties: DecodedProperties
}

/**
 * Reads the synchronous span events of a block of a `cpu` stream; async span events are passed over.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` from the iteration when an event cannot be converted.
 */
export function* readThreadSpanEvents(
  objects: Iterable<TransitObject>,
  ticks: TickConverter,
  options: EventOptions = {},
): Generator<ThreadSpanEvent, void, undefined> {
  let index = 0
  for (const event of objects) {
    const type = SPAN_EVENT_TYPES.get(event.typeName)
    if (type === undefined) options.onUnknown?.(event.typeName, index)
    else if (type.kind === 'thread') {
      yield {
        phase: type.phase,
        timeNs: ticks.toNanoseconds(memberAsI64(event, 'time')),
        index,
        place: placeOf(event, type),
        properties: endPropertiesOf(event, type),
      }
    }
    index++
  }
}

/** Whether an event is a begin or an end of a synchronous span. */
export function isThreadSpanEvent({ typeName }: TransitObject): boolean {
  return SPAN_EVENT_TYPES.get(typeName)?.kind === 'thread'
}

/** A block of a `cpu` stream, to rebuild its call tree from. */
export interface ThreadSpanBlock {
  /** Names the block in errors. */
  readonly blockId: string
  /** Ticks since the start of the process. */
  readonly beginTicks: bigint
  /** Ticks since the start of the process. */
  readonly endTicks: bigint
  /** Events in all earlier blocks of the stream. */
  readonly objectOffset: bigint
  readonly objects: Iterable<TransitObject>
}

/** Id of the row that stands for the thread itself. */
export const THREAD_ROW_ID = -1n

interface Node {
  id: bigint
  place: SpanPlace
  beginNs: bigint
  endNs: bigint
  properties: DecodedProperties
  children: Node[]
}

/**
 * Rebuilds the calls of one `cpu` stream as the reference's `thread_spans` view does: blocks are put in order and cut
 * into chains where ticks are missing, and each chain is replayed on a stack. A span that a chain does not show the
 * begin or the end of starts or ends with the chain.
 *
 * @param threadName - Name of the row at depth 0 (id -1), which covers each chain that has spans.
 * @returns Rows in order of their begin, parents before their children.
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when a block is corrupt, a span ends that is not the open one, or times
 * run backwards: the reference then refuses the query on the stream.
 */
export function rebuildThreadSpans(
  blocks: readonly ThreadSpanBlock[],
  ticks: TickConverter,
  threadName: string,
): SpanRow[] {
  const ordered = [...blocks].sort(
    (a, b) => compare(a.beginTicks, b.beginTicks) || compare(a.endTicks, b.endTicks),
  )
  const rows: SpanRow[] = []
  for (const chain of contiguousChains(ordered)) {
    const root = replayChain(chain, ticks, threadName)
    if (root.children.length > 0) appendRows(rows, root)
  }
  for (let i = 1; i < rows.length; i++) {
    if (rows[i]!.beginNs < rows[i - 1]!.beginNs) {
      throw formatError('thread spans', `span ${rows[i]!.id} begins before span ${rows[i - 1]!.id}`)
    }
  }
  return rows
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Blocks that touch or overlap belong together; one that begins after everything so far ended starts a new chain. */
function contiguousChains(blocks: readonly ThreadSpanBlock[]): ThreadSpanBlock[][] {
  const chains: ThreadSpanBlock[][] = []
  let end = 0n
  for (const block of blocks) {
    const chain = chains.at(-1)
    if (chain === undefined || block.beginTicks > end) {
      chains.push([block])
      end = block.endTicks
    } else {
      chain.push(block)
      if (block.endTicks > end) end = block.endTicks
    }
  }
  return chains
}

function replayChain(chain: readonly ThreadSpanBlock[], ticks: TickConverter, threadName: string): Node {
  const beginNs = ticks.relativeToNanoseconds(chain[0]!.beginTicks)
  const endNs = ticks.relativeToNanoseconds(chain.at(-1)!.endTicks)
  const root = (children: Node[]): Node => ({
    id: THREAD_ROW_ID,
    place: { name: threadName, target: '', filename: '', line: 0 },
    beginNs,
    endNs,
    properties: NO_PROPERTIES,
    children,
  })
  const stack: Node[] = [root([])]
  const open = (id: bigint, event: ThreadSpanEvent): void => {
    const { place, timeNs, properties } = event
    const node: Node = { id, place, beginNs: timeNs, endNs, properties, children: [] }
    stack.at(-1)!.children.push(node)
    stack.push(node)
  }
  const close = (id: bigint, { place, timeNs, properties }: ThreadSpanEvent): void => {
    const top = stack.at(-1)!
    if (stack.length === 1) {
      // begun before the chain: it holds everything that came before its end
      const children = top.children
      top.children = [{ id, place, beginNs, endNs: timeNs, properties, children }]
    } else if (isSamePlace(top.place, place)) {
      top.endNs = timeNs
      top.properties = properties
      stack.pop()
    } else {
      throw formatError('thread spans', `'${place.name}' ends while '${top.place.name}' is open`)
    }
  }
  for (const block of chain) {
    try {
      for (const event of readThreadSpanEvents(block.objects, ticks)) {
        if (event.timeNs < beginNs) continue
        if (event.timeNs > endNs) break
        const id = block.objectOffset + BigInt(event.index)
        if (event.phase === 'begin') open(id, event)
        else close(id, event)
      }
    } catch (error) {
      throw locateError(error, `block ${block.blockId}`)
    }
  }
  return stack[0]!
}

/** Without recursion: corrupt data may nest spans as deep as it has events. */
function appendRows(rows: SpanRow[], root: Node): void {
  const pending: { node: Node; parent: bigint; depth: number }[] = [{ node: root, parent: 0n, depth: 0 }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, parent, depth } = next
    const { id, beginNs, endNs, place, properties } = node
    rows.push({ id, parent, depth, beginNs, endNs, durationNs: endNs - beginNs, ...place, properties })
    for (let i = node.children.length - 1; i >= 0; i--) {
      pending.push({ node: node.children[i]!, parent: node.id, depth: depth + 1 })
    }
  }
}
