import type { Batch, Row } from '../arrow/batch.ts'
import { BatchDecoder } from '../arrow/batch-decoder.ts'
import { corrupt, type IpcMessage } from '../arrow/ipc-message.ts'
import type { Schema } from '../arrow/schema.ts'
import type { ValueModes } from '../arrow/value-options.ts'

/** The batches of a result as they come; to be iterated once. */
export interface BatchStream<T extends object = Row> extends AsyncIterable<Batch<T>>, AsyncDisposable {
  /**
   * The columns, known before the first batch, and also when there is none. Asking for it begins the query, which then has
   * to be iterated or disposed of.
   */
  readonly schema: Promise<Schema>
}

/** @internal */
export class DecodedStream<T extends object> implements BatchStream<T> {
  readonly #messages: AsyncGenerator<IpcMessage, void, undefined>
  readonly #decoder: BatchDecoder<T>
  #schema: Promise<Schema> | undefined
  #taken = false

  constructor(messages: AsyncGenerator<IpcMessage, void, undefined>, modes: ValueModes) {
    this.#messages = messages
    this.#decoder = new BatchDecoder(modes)
  }

  get schema(): Promise<Schema> {
    this.#schema ??= this.#readSchema()
    return this.#schema
  }

  [Symbol.asyncIterator](): AsyncGenerator<Batch<T>, void, undefined> {
    if (this.#taken) throw new TypeError('Cannot iterate the batches twice: query again, or keep them')
    this.#taken = true
    return this.#iterate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#taken = true
    await this.#messages.return()
  }

  async *#iterate(): AsyncGenerator<Batch<T>, void, undefined> {
    try {
      await this.schema
      for await (const message of this.#messages) {
        const batch = this.#decoder.push(message)
        if (batch !== undefined) yield batch
      }
    } finally {
      await this.#messages.return()
    }
  }

  async #readSchema(): Promise<Schema> {
    const first = await this.#messages.next()
    if (first.done) throw corrupt('it is empty')
    try {
      this.#decoder.push(first.value)
      if (this.#decoder.schema === undefined) throw corrupt('it does not begin with a schema')
      return this.#decoder.schema
    } catch (error) {
      await this.#messages.return()
      throw error
    }
  }
}
