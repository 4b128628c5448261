import { type RecordBatch, RecordBatchReader, Type, type Vector } from 'apache-arrow'
import { encapsulate } from './arrow/encapsulate.ts'
import type { SqlAnswer } from './engine.ts'
import { decodeJsonb } from './jsonb/jsonb.ts'
import type { ArrowType } from './types/arrow-type.ts'

/** A row of an answer by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>

/**
 * Reads an answer whole as plain values: 64-bit integers and timestamps (nanoseconds since the Unix epoch) as `bigint`,
 * properties decoded, lists as arrays, structs as objects.
 */
export async function readRows(answer: SqlAnswer): Promise<SqlRow[]> {
  const rows: SqlRow[] = []
  const jsonb = answer.fields.map(({ type }) => isJsonb(type))
  for await (const { messages } of answer.batches) {
    const parts = [answer.schema, ...messages].map((message) => encapsulate(message, false))
    for (const batch of RecordBatchReader.from(Buffer.concat(parts))) rows.push(...batchRows(batch, jsonb))
  }
  return rows
}

/**
 * The rows of a batch as plain values, as {@link readRows} has them.
 *
 * @param jsonb - Of each column, whether its bytes are JSONB to be decoded. @defaultValue none
 */
export function* batchRows(batch: RecordBatch, jsonb: readonly boolean[] = []): Generator<SqlRow> {
  const columns = batch.schema.fields.map(({ name }, i) => ({ name, vector: batch.getChildAt(i) as Vector }))
  for (let row = 0; row < batch.numRows; row++) {
    yield Object.fromEntries(
      columns.map(({ name, vector }, i) => [name, plain(vector, row, jsonb[i] === true)]),
    )
  }
}

function isJsonb(type: ArrowType): boolean {
  if (type.kind === 'Dictionary') return isJsonb(type.value)
  return type.kind === 'Binary' && type.jsonb === true
}

/** The value of a row; exact where apache-arrow's own reading is not. */
function plain(vector: Vector, row: number, holdsJsonb: boolean): unknown {
  let index = row
  const data = vector.data.find((part) => {
    if (index < part.length) return true
    index -= part.length
    return false
  })
  if (data === undefined || !data.getValid(index)) return null
  switch (vector.type.typeId as Type) {
    case Type.Timestamp: // nanoseconds; the library would give milliseconds as a float
    case Type.Duration:
    case Type.Time:
      return (data.values as unknown as ArrayLike<unknown>)[index]
    case Type.List: {
      const items = vector.get(row) as Vector
      return Array.from({ length: items.length }, (_, i) => plain(items, i, false))
    }
    case Type.Struct: {
      const { children } = vector.type as unknown as {
        readonly children: readonly { readonly name: string }[]
      }
      return Object.fromEntries(
        children.map(({ name }, i) => [name, plain(vector.getChildAt(i) as Vector, row, false)]),
      )
    }
    case Type.Binary:
    case Type.FixedSizeBinary: {
      const bytes = vector.get(row) as Uint8Array
      const json = holdsJsonb ? decodeJsonb(bytes) : undefined
      return json === undefined ? Uint8Array.from(bytes) : JSON.parse(json)
    }
    default:
      return vector.get(row)
  }
}
