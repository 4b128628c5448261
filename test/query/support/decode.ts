import type { RecordBatch } from '../../../src/query/arrow/batch.ts'
import { BatchDecoder } from '../../../src/query/arrow/batch-decoder.ts'
import { splitStream } from '../../../src/query/arrow/ipc-message.ts'
import { resolveValueOptions, type ValueOptions } from '../../../src/query/arrow/value-options.ts'
import type { Row } from '../../../src/query/index.ts'

/** The batches of an IPC stream. */
export function decode(stream: Uint8Array, options: ValueOptions = {}): RecordBatch<Row>[] {
  const decoder = new BatchDecoder<Row>(resolveValueOptions(options))
  return [...splitStream(stream)].flatMap((message) => decoder.push(message) ?? [])
}
