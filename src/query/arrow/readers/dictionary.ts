import { corrupt } from '../ipc-message.ts'
import type { DataType } from '../schema.ts'
import type { Read } from './temporal-readers.ts'

/** The values of a dictionary: the first batch of them, and those that later ones add. */
export class Dictionary {
  readonly #parts: { readonly end: number; readonly read: Read }[] = []
  readonly #known: unknown[] | undefined
  #length = 0

  /** @param type - Of the values. Only values that nobody can change are kept, the others are made anew for each row. */
  constructor(type: DataType) {
    const nested = ['list', 'fixedSizeList', 'struct', 'map', 'union', 'interval', 'date', 'timestamp']
    const mutable =
      nested.includes(type.kind) ||
      isBytes(type) ||
      type.kind === 'dictionary' ||
      type.kind === 'runEndEncoded'
    this.#known = mutable ? undefined : []
  }

  get length(): number {
    return this.#length
  }

  add(read: Read, length: number): void {
    this.#length += length
    this.#parts.push({ end: this.#length, read })
  }

  /** @throws {@link QueryError} `DATA_LOSS` when there is no such value. */
  at(key: number): unknown {
    if (this.#known === undefined) return this.#read(key)
    const known = this.#known[key]
    if (known !== undefined) return known
    const value = this.#read(key)
    this.#known[key] = value
    return value
  }

  #read(key: number): unknown {
    let begin = 0
    for (const part of this.#parts) {
      if (key < part.end && key >= begin) return part.read(key - begin)
      begin = part.end
    }
    throw corrupt(`a dictionary of ${this.#length} values has none with number ${key}`)
  }
}

/** Whether the values are bytes, which readers of dictionaries hand out without copying. */
export function isBytes(type: DataType): boolean {
  return type.kind === 'binary' || type.kind === 'fixedSizeBinary'
}
