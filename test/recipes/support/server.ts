import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type MicromegasServer,
  type ServerOptions,
  type SqlRow,
  startServer,
} from '../../../server/src/index.ts'

const HOUR_NS = 3_600_000_000_000n

/** A server that keeps what it gets until the test ends. */
export class Server implements AsyncDisposable {
  readonly #server: MicromegasServer

  private constructor(server: MicromegasServer) {
    this.#server = server
  }

  /** @param options - Whose keys are taken; without any, everybody's. */
  static async start(options: Pick<ServerOptions, 'apiKeys'> = {}): Promise<Server> {
    const access = options.apiKeys === undefined ? { disableAuth: true } : options
    return new Server(await startServer({ port: 0, flightPort: 0, temporary: true, ...access }))
  }

  /** What a service needs to send here. */
  get env(): Record<string, string> {
    return {
      MICROMEGAS_TELEMETRY_URL: this.#server.url,
      MICROMEGAS_INGESTION_API_KEY: 'a-key',
      MICROMEGAS_ENABLE_CPU_TRACING: 'true',
    }
  }

  async query<Row = SqlRow>(sql: string): Promise<readonly Row[]> {
    const nowNs = BigInt(Date.now()) * 1_000_000n
    const rows = await this.#server.query(sql, {
      range: { beginNs: nowNs - HOUR_NS, endNs: nowNs + HOUR_NS },
    })
    return rows as readonly Row[]
  }

  /** Asks until the answer has as many rows: for what a process that goes on running has still to send. */
  async queryUntil<Row = SqlRow>(
    sql: string,
    isEnough: (rows: readonly Row[]) => boolean,
  ): Promise<readonly Row[]> {
    for (;;) {
      const rows = await this.query<Row>(sql)
      if (isEnough(rows)) return rows
      await sleep(100)
    }
  }

  /** Ids of the processes with that name, the first started first. */
  async processes(exe: string): Promise<readonly string[]> {
    const rows = await this.query<{ process_id: unknown }>(
      `SELECT process_id FROM processes WHERE exe LIKE '%${exe}' ORDER BY start_time`,
    )
    return rows.map(({ process_id }) => String(process_id))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }
}

/** The questions of a page of docs/frameworks, in their order, with its placeholders filled in. */
export function questionsOf(page: string, values: Readonly<Record<string, string>> = {}): readonly string[] {
  const file = fileURLToPath(new URL(`../../../docs/frameworks/${page}.md`, import.meta.url))
  const blocks = [...readFileSync(file, 'utf8').matchAll(/^```sql\n([\s\S]*?)^```$/gm)]
  return blocks.map(([, sql]) =>
    Object.entries(values).reduce((text, [name, value]) => text.replaceAll(name, value), sql!),
  )
}
