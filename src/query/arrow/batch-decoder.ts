import type { RecordBatch as BatchLayout, Version_ } from '@uwdata/flechette'
import { RecordBatch, rowNames } from './batch.ts'
import { corrupt, decoding, END_OF_STREAM, type IpcMessage } from './ipc-message.ts'
import { BufferCursor } from './readers/buffer-cursor.ts'
import { type ColumnReader, columnReader, type ReadContext } from './readers/column-reader.ts'
import { Dictionary } from './readers/dictionary.ts'
import type { DataType, Schema } from './schema.ts'
import { type DictionaryIds, schemaFromWire } from './schema-from-wire.ts'
import { holdsJsonb, type ValueModes } from './value-options.ts'

/** Makes batches of the messages of one IPC stream. */
export class BatchDecoder<T extends object> {
  readonly #modes: ValueModes
  readonly #ids: DictionaryIds = new Map()
  readonly #dictionaries = new Map<number, Dictionary>()
  /** The messages that the next batch's own stream has to begin with: the schema, and dictionaries as they stand. */
  #preamble: { readonly dictionary: number | undefined; readonly bytes: Uint8Array }[] = []
  #schema: Schema | undefined
  #names: readonly string[] = []
  #version: Version_ = 4

  constructor(modes: ValueModes) {
    this.#modes = modes
  }

  /** `undefined` until it has come. */
  get schema(): Schema | undefined {
    return this.#schema
  }

  /**
   * @returns A batch when the message holds one.
   * @throws {@link QueryError} `DATA_LOSS` or `UNIMPLEMENTED` when the message cannot be read.
   */
  push(message: IpcMessage): RecordBatch<T> | undefined {
    return decoding(() => this.#push(message))
  }

  #push(message: IpcMessage): RecordBatch<T> | undefined {
    const { content, body } = message
    if (content.kind === 'schema') {
      if (this.#schema !== undefined) throw corrupt('it has two schemas')
      this.#schema = schemaFromWire(content.schema, this.#ids)
      this.#names = rowNames(this.#schema)
      this.#version = content.version
      this.#preamble.push({ dictionary: undefined, bytes: message.bytes })
      return undefined
    }
    const schema = this.#schema
    if (schema === undefined) throw corrupt('it does not begin with a schema')
    if (content.kind === 'batch') return this.#batch(schema, message, content.layout)
    this.#dictionary(content.id, content.isDelta, content.layout, body)
    this.#remember(content.id, content.isDelta, message.bytes)
    return undefined
  }

  #batch(schema: Schema, message: IpcMessage, layout: BatchLayout): RecordBatch<T> {
    const cursor = new BufferCursor(layout, message.body)
    const numRows = layout.length ?? 0
    const readers = schema.fields.map(({ name, type }) => {
      const form = holdsJsonb(name, this.#modes) ? 'jsonb' : 'copy'
      const reader = columnReader(type, this.#context(cursor, name), form)
      if (reader.length !== numRows)
        throw corrupt(`column ${JSON.stringify(name)} has ${reader.length} of ${numRows} rows`)
      return reader
    })
    const parts = [...this.#preamble.map(({ bytes }) => bytes), message.bytes, END_OF_STREAM]
    return new RecordBatch(schema, this.#names, numRows, readers, () => concat(parts))
  }

  #dictionary(id: number, isDelta: boolean, layout: BatchLayout, body: Uint8Array): void {
    const type = this.#valueType(id)
    const cursor = new BufferCursor(layout, body)
    const values: ColumnReader = columnReader(type, this.#context(cursor, `dictionary ${id}`), 'shared')
    const known = this.#dictionaries.get(id)
    if (isDelta && known === undefined) throw corrupt('a dictionary is continued that has not begun')
    // A new one each time it is replaced: batches that came before keep theirs. One that grows only grows.
    const dictionary = isDelta ? known! : new Dictionary(type)
    dictionary.add(values.read, values.length)
    this.#dictionaries.set(id, dictionary)
  }

  #remember(id: number, isDelta: boolean, bytes: Uint8Array): void {
    const entry = { dictionary: id, bytes }
    const first = this.#preamble.findIndex(({ dictionary }) => dictionary === id)
    if (isDelta || first === -1) this.#preamble = [...this.#preamble, entry]
    else {
      this.#preamble = this.#preamble.filter((other, i) => i <= first || other.dictionary !== id)
      this.#preamble[first] = entry
    }
  }

  #valueType(id: number): DataType {
    for (const [type, its] of this.#ids) {
      if (its === id && type.kind === 'dictionary') return type.value
    }
    throw corrupt(`no column uses dictionary ${id}`)
  }

  #context(cursor: BufferCursor, column: string): ReadContext {
    const context: ReadContext = {
      cursor,
      column,
      modes: this.#modes,
      version: this.#version,
      part: (type) => columnReader(type, context),
      dictionary: (type) => {
        const dictionary = this.#dictionaries.get(this.#ids.get(type) ?? -1)
        if (dictionary === undefined)
          throw corrupt(`the dictionary of column ${JSON.stringify(column)} has not come`)
        return dictionary
      },
    }
    return context
  }
}

/** The parts one after the other, in memory of their own. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}
