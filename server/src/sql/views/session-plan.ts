import type { Connection } from '../../tables/database.ts'
import type { Need } from '../../tables/needed-blocks.ts'

/** What must be done before a query can run. */
export interface Preparations {
  /** Blocks that views of the query show. */
  readonly needs: Need[]
  /** The query reads the sizes of payloads. */
  payloadSizes: boolean
  /** Tables of the query's own that must be filled, in this order. */
  readonly steps: ((connection: Connection, signal: AbortSignal) => Promise<void>)[]
}

export function noPreparations(): Preparations {
  return { needs: [], payloadSizes: false, steps: [] }
}
