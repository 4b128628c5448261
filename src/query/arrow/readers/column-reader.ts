import type { Version_ } from '@uwdata/flechette'
import { corrupt } from '../ipc-message.ts'
import { decodeJsonb } from '../jsonb.ts'
import type { DataType } from '../schema.ts'
import type { ValueModes } from '../value-options.ts'
import type { ArrayNode, BufferCursor } from './buffer-cursor.ts'
import { bytesReader, fixedSizeBytesReader, textReader } from './bytes-readers.ts'
import { type Dictionary, isBytes } from './dictionary.ts'
import { nestedReader } from './nested-readers.ts'
import {
  boolReader,
  decimalReader,
  halfFloatReader,
  integerReader,
  integers,
  type NumericArray,
} from './number-readers.ts'
import {
  dateReader,
  durationReader,
  intervalReader,
  type Read,
  timeOfDayReader,
  timestampReader,
} from './temporal-readers.ts'

/** What reading the columns of one batch needs. */
export interface ReadContext {
  readonly cursor: BufferCursor
  readonly modes: ValueModes
  readonly version: Version_
  /** The name of the column, for messages. */
  readonly column: string
  /** Takes a part of a nested column from the cursor: {@link columnReader} in the same context. */
  part(type: DataType): ColumnReader
  /** @throws {@link QueryError} `DATA_LOSS` when the dictionary has not come. */
  dictionary(type: DataType): Dictionary
}

/** How the bytes of a binary column are handed out. */
export type BytesForm = 'copy' | 'shared' | 'jsonb'

/** A column of one batch, or a part of a nested one. */
export interface ColumnReader {
  /** The value at an index, `null` included. */
  readonly read: Read
  readonly length: number
  readonly nullCount: number
  /** The memory of a column of numbers, shared with the batch. What stands where there is a null means nothing. */
  readonly values?: NumericArray | undefined
}

const BYTES_FORMS: Readonly<Record<BytesForm, (bytes: Uint8Array) => unknown>> = {
  copy: (bytes) => bytes.slice(),
  shared: (bytes) => bytes,
  jsonb: decodeJsonb,
}

/** Takes the next column from the cursor. */
export function columnReader(type: DataType, context: ReadContext, bytes: BytesForm = 'copy'): ColumnReader {
  const node = context.cursor.node()
  // These have no validity bitmap of their own.
  if (type.kind === 'null') return { ...node, nullCount: node.length, read: () => null }
  if (type.kind === 'union' || type.kind === 'runEndEncoded') {
    return { ...node, read: nestedReader(type, node, context) }
  }
  const validity = context.cursor.validity(node)
  if (type.kind === 'int') {
    const values = integers(context.cursor, type, node.length)
    return { ...node, values, read: nullable(integerReader(values, context.modes, context.column), validity) }
  }
  if (type.kind === 'float' && type.bits !== 16) {
    const values = context.cursor.typed<NumericArray>(
      type.bits === 32 ? Float32Array : Float64Array,
      node.length,
    )
    return { ...node, values, read: nullable((index) => values[index], validity) }
  }
  return { ...node, read: nullable(valueReader(type, node, context, bytes), validity) }
}

function nullable(read: Read, validity: Uint8Array | undefined): Read {
  if (validity === undefined) return read
  return (index) => ((validity[index >> 3]! & (1 << (index & 7))) === 0 ? null : read(index))
}

function valueReader(type: DataType, node: ArrayNode, context: ReadContext, form: BytesForm): Read {
  const { cursor, modes, column } = context
  const { length } = node
  switch (type.kind) {
    case 'bool':
      return boolReader(cursor, length)
    case 'float':
      return halfFloatReader(cursor, length)
    case 'decimal':
      return decimalReader(cursor, type, length)
    case 'utf8':
      return textReader(cursor, type.layout, length)
    case 'binary': {
      const [read, give] = [bytesReader(cursor, type.layout, length), BYTES_FORMS[form]]
      return (index) => give(read(index))
    }
    case 'fixedSizeBinary': {
      const [read, give] = [fixedSizeBytesReader(cursor, type.size, length), BYTES_FORMS[form]]
      return (index) => give(read(index))
    }
    case 'timestamp':
      return timestampReader(cursor, type, length, modes, column)
    case 'date':
      return dateReader(cursor, type, length, modes, column)
    case 'time':
      return timeOfDayReader(cursor, type, length, modes, column)
    case 'duration':
      return durationReader(cursor, type, length, modes, column)
    case 'interval':
      return intervalReader(cursor, type, length, modes, column)
    case 'dictionary':
      return dictionaryReader(type, length, context, form)
    default:
      return nestedReader(type, node, context)
  }
}

function dictionaryReader(
  type: Extract<DataType, { readonly kind: 'dictionary' }>,
  length: number,
  context: ReadContext,
  form: BytesForm,
): Read {
  if (type.index.kind !== 'int') throw corrupt('the keys of a dictionary are not whole numbers')
  const keys = integers(context.cursor, type.index, length)
  const dictionary = context.dictionary(type)
  if (!isBytes(type.value)) return (index) => dictionary.at(Number(keys[index]))
  const give = BYTES_FORMS[form]
  return (index) => {
    const value = dictionary.at(Number(keys[index])) as Uint8Array | null
    return value === null ? null : give(value)
  }
}
