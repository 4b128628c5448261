import type { InventoryChange } from '../tables/decode/block-source.ts'
import type { SqlAnswer, SqlCaller, SqlEngine, SqlRequest } from './engine.ts'
import { SqlError } from './sql-error.ts'

/**
 * Opens an engine with the first question, so that a server which only takes telemetry does not pay for it. What happens
 * in the store while it opens is handed on afterwards.
 */
export class LateEngine implements SqlEngine {
  readonly #open: () => Promise<SqlEngine>
  readonly #catchUp: () => void
  #opening: Promise<SqlEngine> | undefined
  #engine: SqlEngine | undefined
  #missed: InventoryChange[] = []
  #closed = false

  /** @param catchUp - Tells at once what has happened in the store, so that a query sees what was stored before it. */
  constructor(open: () => Promise<SqlEngine>, catchUp: () => void) {
    this.#open = open
    this.#catchUp = catchUp
  }

  async query(request: SqlRequest): Promise<SqlAnswer> {
    const engine = await this.#get()
    this.#catchUp()
    return engine.query(request)
  }

  async prepare(sql: string, caller: SqlCaller): Promise<Pick<SqlAnswer, 'fields' | 'schema'>> {
    return (await this.#get()).prepare(sql, caller)
  }

  notify(change: InventoryChange): void {
    if (this.#engine !== undefined) this.#engine.notify(change)
    else if (this.#opening !== undefined) this.#missed.push(change)
  }

  async close(): Promise<void> {
    this.#closed = true
    const engine = await this.#opening?.catch(() => undefined) // it has been told to whoever asked
    await engine?.close()
  }

  #get(): Promise<SqlEngine> {
    if (this.#closed) throw new SqlError('UNAVAILABLE', 'The server is closing')
    this.#opening ??= this.#start()
    return this.#opening
  }

  async #start(): Promise<SqlEngine> {
    try {
      const engine = await this.#open()
      for (const change of this.#missed.splice(0)) engine.notify(change)
      this.#engine = engine
      return engine
    } catch (error) {
      this.#opening = undefined // the next question tries again
      this.#missed = []
      throw error
    }
  }
}
