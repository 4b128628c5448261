import type { IpcMessage } from '../arrow/ipc-message.ts'
import { flightData, ingestDescriptor } from '../flight/flight-messages.ts'
import { QueryError } from '../query-error.ts'
import { type IpcSource, splitSource } from './ipc-splitter.ts'

/** The tables that take rows. */
export type IngestTable = 'processes' | 'streams' | 'blocks' | 'payloads'

/**
 * The messages of an upload: the first one says which table it is for.
 *
 * @throws `TypeError` when the data is no IPC stream, `RangeError` when a batch is larger than `maxMessageBytes`.
 */
export async function* ingestRequests(
  table: IngestTable,
  data: IpcSource,
  maxMessageBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  let descriptor: Buffer | undefined = ingestDescriptor(table)
  for await (const { header, body, content } of messages(table, data)) {
    if (descriptor !== undefined && content.kind !== 'schema')
      throw unusable(table, 'it does not begin with a schema')
    const request = flightData({ header, body }, descriptor)
    if (request.length > maxMessageBytes) {
      throw new RangeError(
        `Cannot ingest into ${table}: a batch of ${request.length} bytes is beyond maxMessageBytes; make smaller ones`,
      )
    }
    yield request
    descriptor = undefined
  }
  if (descriptor !== undefined) throw unusable(table, 'it is empty')
}

async function* messages(table: IngestTable, data: IpcSource): AsyncGenerator<IpcMessage, void, undefined> {
  try {
    yield* splitSource(data)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    throw unusable(table, error.message.replace(/^Cannot read the answer: /, ''), error)
  }
}

function unusable(table: IngestTable, why: string, cause?: unknown): TypeError {
  return new TypeError(`Cannot ingest into ${table}: the data is not a usable Arrow IPC stream: ${why}`, {
    cause,
  })
}
