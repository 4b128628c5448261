import type { SpanPlace } from 'micromegas/wire'
import { xxh32 } from 'micromegas/wire'
import { ColumnBuffer } from './column-buffer.ts'
import { sortedJson } from './json-text.ts'

/** So many texts are remembered; beyond that all are forgotten, and what comes again gets another number. */
const MAX_REMEMBERED = 200_000

/** Numbers for values that come again and again. Two numbers may mean the same value: they are only looked up. */
export class Dictionary {
  readonly pending: ColumnBuffer
  readonly #numbers = new Map<string, number>()
  #next: number

  constructor(table: string, next: number) {
    this.pending = new ColumnBuffer(table, ['i32', 'text'])
    this.#next = next
  }

  numberOf(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    if (this.#numbers.size >= MAX_REMEMBERED) this.#numbers.clear()
    const number = this.#next++
    this.#numbers.set(text, number)
    this.pending.push(number, text)
    return number
  }

  /** After rows could not be stored: what was numbered meanwhile is not in the database. */
  forget(): void {
    this.#numbers.clear()
    this.pending.take()
  }
}

/** Numbers for property sets. The sets of a block's events are shared objects, which saves making texts of them. */
export class PropertyDictionary extends Dictionary {
  #byObject = new WeakMap<object, number>()

  numberOfSet(properties: Readonly<Record<string, string>>): number {
    let number = this.#byObject.get(properties)
    if (number === undefined) {
      number = this.numberOf(sortedJson(properties))
      this.#byObject.set(properties, number)
    }
    return number
  }

  override forget(): void {
    super.forget()
    this.#byObject = new WeakMap()
  }
}

/** Numbers for the places that spans measure. */
export class PlaceDictionary {
  readonly pending = new ColumnBuffer('places', ['i32', 'u32', 'text', 'text', 'text', 'u32'])
  readonly #numbers = new Map<string, number>()
  #next: number

  constructor(next: number) {
    this.#next = next
  }

  numberOf({ name, target, filename, line }: SpanPlace): number {
    const key = `${line}\0${name}\0${target}\0${filename}`
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    if (this.#numbers.size >= MAX_REMEMBERED) this.#numbers.clear()
    const number = this.#next++
    this.#numbers.set(key, number)
    this.pending.push(number, placeHash(name, filename, target, line), name, target, filename, line)
    return number
  }

  forget(): void {
    this.#numbers.clear()
    this.pending.take()
  }
}

const encoder = new TextEncoder()

/** As in the reference, whose call trees tell scopes apart by it. */
function placeHash(name: string, filename: string, target: string, line: number): number {
  const named = xxh32(encoder.encode(name), 0)
  const filed = xxh32(encoder.encode(filename), named)
  const targeted = xxh32(encoder.encode(target), filed)
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, line, true)
  return xxh32(bytes, targeted)
}
