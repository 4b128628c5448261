import { compareCodePoints } from '../../tables/decode/json-text.ts'

/** A JSON value whose numbers keep their digits: `JSON.parse` rounds those above 2^53. */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | ReadonlyMap<string, Json>

export class JsonNumber {
  /** As written. */
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  get isInteger(): boolean {
    return /^-?\d+$/.test(this.text)
  }

  valueOf(): number {
    return Number(this.text)
  }
}

const MAX_DEPTH = 512

/** Reads JSON (RFC 8259). Keys come out in the order of their bytes, of a repeated key the last value. @returns `undefined` for what is no JSON. */
export function parseJson(text: string): Json | undefined {
  const reader = new JsonReader(text)
  try {
    const value = reader.value(0)
    return reader.isAtEnd() ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

class JsonReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  isAtEnd(): boolean {
    this.#space()
    return this.#at === this.#text.length
  }

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw new SyntaxError('nested too deep')
    this.#space()
    const first = this.#text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return this.#string()
    for (const [word, value] of WORDS) if (this.#takes(word)) return value
    const number = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y)
    if (number === undefined) throw new SyntaxError('no value')
    return new JsonNumber(number)
  }

  #object(depth: number): Json {
    this.#at++
    const members: [string, Json][] = []
    this.#space()
    if (this.#takes('}')) return new Map()
    for (;;) {
      this.#space()
      if (this.#text[this.#at] !== '"') throw new SyntaxError('no key')
      const key = this.#string()
      this.#space()
      if (!this.#takes(':')) throw new SyntaxError('no colon')
      members.push([key, this.value(depth + 1)])
      this.#space()
      if (this.#takes('}')) break
      if (!this.#takes(',')) throw new SyntaxError('no comma')
    }
    return sortedMap(members)
  }

  #array(depth: number): Json {
    this.#at++
    const items: Json[] = []
    this.#space()
    if (this.#takes(']')) return items
    for (;;) {
      items.push(this.value(depth + 1))
      this.#space()
      if (this.#takes(']')) return items
      if (!this.#takes(',')) throw new SyntaxError('no comma')
    }
  }

  #string(): string {
    const raw = this.#match(/"(?:[^"\\]|\\.)*"/sy)
    if (raw === undefined) throw new SyntaxError('no string')
    return JSON.parse(raw) as string
  }

  #space(): void {
    this.#match(/[ \t\r\n]*/y)
  }

  #takes(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }
}

const WORDS: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
]

export function sortedMap(members: readonly (readonly [string, Json])[]): ReadonlyMap<string, Json> {
  const last = new Map(members)
  return new Map([...last].sort(([a], [b]) => compareCodePoints(a, b)))
}

/** JSON text without spaces, as the reference prints JSONB. */
export function formatJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof JsonNumber) return value.text
  if (isList(value)) return `[${value.map(formatJson).join(',')}]`
  return `{${[...value].map(([key, member]) => `${JSON.stringify(key)}:${formatJson(member)}`).join(',')}}`
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

export function isObject(value: Json): value is ReadonlyMap<string, Json> {
  return value instanceof Map
}
