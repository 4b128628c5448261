import type { Schema } from '../arrow/schema.ts'

/** A query that the server has planned. */
export interface PreparedStatement {
  /** Its text. */
  readonly query: string
  /** The columns of its result. */
  readonly schema: Schema
}
