import type { Connection } from '../../../tables/database.ts'
import type { Annotations } from './format/perfetto-writer.ts'

/** Rows that are remembered from page to page. */
const MAX_REMEMBERED = 5000

/** What numbers in rows stand for, asked for a page at a time. */
export class Lookup<T> {
  readonly #connection: Connection
  readonly #select: string
  readonly #parse: (row: readonly unknown[]) => T
  readonly #known = new Map<number, T>()

  /** @param parse - Takes the columns, of which the first is the number. */
  constructor(connection: Connection, select: string, parse: (row: readonly unknown[]) => T) {
    this.#connection = connection
    this.#select = select
    this.#parse = parse
  }

  async load(numbers: readonly unknown[]): Promise<void> {
    if (this.#known.size > MAX_REMEMBERED) this.#known.clear()
    const missing = new Set(numbers.filter((n) => n !== null && !this.#known.has(n as number)))
    if (missing.size === 0) return
    const rows = await this.#connection.all(`${this.#select} WHERE id IN (${[...missing].join(', ')})`)
    for (const row of rows) this.#known.set(row[0] as number, this.#parse(row))
  }

  /** Of a number that was loaded last. */
  get(number: unknown): T {
    return this.#known.get(number as number)!
  }
}

export interface SpanPlace {
  readonly name: string
  readonly target: string
  readonly filename: string
  readonly line: number
}

export function placeLookup(connection: Connection): Lookup<SpanPlace> {
  return new Lookup(
    connection,
    'SELECT id, name, target, filename, line FROM places',
    ([, name, target, filename, line]) => ({
      name: String(name),
      target: String(target),
      filename: String(filename),
      line: Number(line),
    }),
  )
}

export function textLookup(connection: Connection): Lookup<string> {
  return new Lookup(connection, 'SELECT id, text FROM texts', ([, text]) => String(text))
}

export function propertyLookup(connection: Connection): Lookup<Annotations> {
  return new Lookup(connection, 'SELECT id, json FROM property_sets', ([, json]) =>
    Object.entries(JSON.parse(String(json)) as Record<string, string>),
  )
}
