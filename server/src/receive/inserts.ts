import { decodeBlock, decodeProcess, decodeStream, TelemetryError } from 'micromegas/wire'
import type { ServerContext } from '../server-context.ts'
import type { StoredBlock } from '../store/store-index.ts'
import { processRefusals, streamRefusals, withoutReserved } from './database-rules.ts'

/** What an item needs to be taken. */
export type InsertContext = Pick<
  ServerContext,
  'store' | 'catalog' | 'checker' | 'arrivals' | 'report' | 'config'
>

export type RefusalStatus = 400 | 408 | 413 | 500 | 503

/** An item that is not taken, by the status it is answered with over HTTP. `reason` is for the server's console. */
export class Refusal extends Error {
  readonly status: RefusalStatus
  readonly reason: string

  constructor(status: RefusalStatus, reason: string) {
    super(reason)
    this.status = status
    this.reason = reason
  }
}

/** What an error of an insert means. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof TelemetryError && error.code === 'ERR_TELEMETRY_FORMAT')
    return new Refusal(400, reason)
  // A full disk is no fault of the block: producers that count a 500 against it would give it up one day.
  return isSystemError(error) ? new Refusal(503, `cannot write: ${reason}`) : new Refusal(500, reason)
}

/** What the operating system refuses: no space, no permission, too many open files. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'errno' in error
}

/**
 * A process or stream takes a few kilobytes. One of 100 MiB could hold 20 million properties, which no program holds in
 * memory; the reference has no limit of its own here.
 */
const MAX_DESCRIPTION_BYTES = 4 * 1024 * 1024

/** Takes an item; one whose id is known is left as it is. Errors are for {@link refusalOf}. */
export type Insert = (context: InsertContext, body: Uint8Array) => Promise<void>

export const insertProcess: Insert = async (context, body) => {
  refuseDescription(body, 'process')
  const process = decodeProcess(body)
  const { processId } = process
  const { kept, dropped } = withoutReserved(process.properties)
  refuseIfAny(processRefusals({ ...process, properties: kept }))
  warnOfReserved(context, 'process', processId, dropped)
  const isNew = await context.store.insertProcess(processId, body)
  report(context, isNew, 'process', processId, processId, body)
  const stored = isNew ? context.store.index.processes.get(processId) : undefined
  if (stored === undefined) return
  context.arrivals.add({ process: stored })
  announce(context, context.catalog.blocksOfProcess(processId))
  context.checker.arrived('process', processId)
}

export const insertStream: Insert = async (context, body) => {
  refuseDescription(body, 'stream')
  const stream = decodeStream(body)
  const { streamId, processId } = stream
  const { kept, dropped } = withoutReserved(stream.properties)
  refuseIfAny(streamRefusals({ ...stream, properties: kept }))
  warnOfReserved(context, 'stream', streamId, dropped)
  const isNew = await context.store.insertStream(stream, body)
  report(context, isNew, 'stream', streamId, processId, body)
  if (!isNew) return
  announce(context, context.catalog.blocksOfStream(streamId))
  context.checker.arrived('stream', streamId)
}

export const insertBlock: Insert = async (context, body) => {
  const block = decodeBlock(body)
  const { blockId, processId } = block
  const isNew = await context.store.insertBlock(block, body)
  report(context, isNew, 'block', blockId, processId, body)
  const stored = isNew ? context.store.index.blocks.get(blockId) : undefined
  if (stored === undefined) return
  announce(context, [stored])
  if (context.config.checkBlocks) context.checker.check(stored, block)
}

/** Blocks can be asked for once their stream and its process are there too. */
function announce({ arrivals, store }: InsertContext, blocks: Iterable<StoredBlock>): void {
  const { streams, processes } = store.index
  for (const block of blocks) {
    const stream = streams.get(block.streamId)
    if (stream !== undefined && processes.has(stream.processId)) arrivals.add({ block, stream })
  }
}

function refuseDescription(body: Uint8Array, what: string): void {
  if (body.length <= MAX_DESCRIPTION_BYTES) return
  throw new Refusal(413, `the ${what} has ${body.length} bytes, this server takes ${MAX_DESCRIPTION_BYTES}`)
}

function refuseIfAny(refusals: readonly string[]): void {
  if (refusals.length === 0) return
  throw new Refusal(500, `a Micromegas server's database refuses this for good: ${refusals.join('; ')}`)
}

function warnOfReserved(context: InsertContext, what: string, id: string, dropped: readonly string[]): void {
  if (dropped.length === 0) return
  const keys = dropped.slice(0, 5).join(', ')
  context.report({ type: 'warning', message: `${what} ${id}: reserved properties dropped: ${keys}` })
}

function report(
  context: InsertContext,
  isNew: boolean,
  what: 'process' | 'stream' | 'block',
  id: string,
  processId: string,
  body: Uint8Array,
): void {
  if (isNew) context.report({ type: 'stored', what, id, processId, bytes: body.length })
  else context.report({ type: 'duplicate', what, id })
}
