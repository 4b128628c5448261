import type { Connection } from '../../../tables/database.ts'
import type { Annotations, PerfettoWriter } from './perfetto-writer.ts'

/** Rows that are read at a time. */
const PAGE_ROWS = 10_000
/** Different texts of properties whose reading is remembered. */
const MAX_KEPT = 1_000

/** A trace being written. */
export interface TraceWriting {
  readonly connection: Connection
  /** Of its own for each trace: temporary tables begin with it. */
  readonly name: string
  readonly writer: PerfettoWriter
  readonly signal: AbortSignal
  /** Hands over the chunks that are complete. */
  store(): Promise<void>
}

/**
 * The rows of a query, a page at a time, in its order: what is read of a process does not have to fit into memory.
 *
 * @param table - A name for the temporary table that the rows wait in, which goes with the last of them.
 */
export async function* pagesOf(
  connection: Connection,
  table: string,
  sql: string,
  signal: AbortSignal,
): AsyncGenerator<unknown[][]> {
  await connection.run(
    `CREATE TEMP TABLE ${table} AS SELECT row_number() OVER () AS row_number, q.* FROM (${sql}) q`,
  )
  for (let from = 0; ; from += PAGE_ROWS) {
    signal.throwIfAborted()
    const page = await connection.all(
      `SELECT * EXCLUDE (row_number) FROM ${table} WHERE row_number > ${from} AND row_number <= ${from + PAGE_ROWS} ORDER BY row_number`,
    )
    if (page.length > 0) yield page
    if (page.length < PAGE_ROWS) break
  }
  await connection.run(`DROP TABLE ${table}`)
}

/** Reads properties from their JSON, which repeats. */
export class PropertyTexts {
  readonly #known = new Map<string, Annotations>()

  read(json: unknown): Annotations {
    const text = typeof json === 'string' ? json : '{}'
    let properties = this.#known.get(text)
    if (properties === undefined) {
      const parsed: Record<string, unknown> = JSON.parse(text)
      properties = Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, String(value)]))
      if (this.#known.size >= MAX_KEPT) this.#known.clear()
      this.#known.set(text, properties)
    }
    return properties
  }
}
