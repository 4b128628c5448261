import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { FlightSQLClient } from 'micromegas/query'
import { benchPath, cleanEnvironment } from '../support/measured-process.ts'

const IDLE_MS = 500
/** Of a core; less is timers and collections of garbage. */
const IDLE_SHARE = 0.05

interface Usage {
  readonly cpuMs: number
  readonly rssBytes: number
}

/** A server in a process of its own, so that what it costs is known. */
export class MeasuredServer implements AsyncDisposable {
  readonly url: string
  readonly flightPort: number
  readonly client: FlightSQLClient
  readonly #child: ChildProcess
  readonly #node: string

  private constructor(
    child: ChildProcess,
    node: string,
    at: { readonly url: string; readonly flightUri: string },
  ) {
    this.#child = child
    child.setMaxListeners(0)
    this.#node = node
    this.url = at.url
    this.flightPort = Number(new URL(at.flightUri).port)
    this.client = new FlightSQLClient(at.flightUri)
  }

  static async start(node: string, dataDir: string): Promise<MeasuredServer> {
    const child = spawn(node, [benchPath('server/server.mjs'), dataDir], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: cleanEnvironment(),
    })
    const [at] = await Promise.race([once(child, 'message'), ended(child)])
    return new MeasuredServer(child, node, at)
  }

  async usage(): Promise<Usage> {
    this.#child.send('usage')
    const [usage] = await Promise.race([once(this.#child, 'message'), ended(this.#child)])
    return usage
  }

  /** Waits until the server has nothing left to do of what it was given. */
  async settled(): Promise<void> {
    let before = await this.usage()
    for (;;) {
      await sleep(IDLE_MS)
      const now = await this.usage()
      if (now.cpuMs - before.cpuMs < IDLE_MS * IDLE_SHARE) return
      before = now
    }
  }

  /** Has a service record and deliver. @returns What it sent, see recorder.mjs. */
  async record(kind: string, ...args: readonly number[]): Promise<number[]> {
    const script = benchPath('server/recorder.mjs')
    const child = spawn(this.#node, [script, kind, ...args.map(String)], {
      env: cleanEnvironment({ MICROMEGAS_TELEMETRY_URL: this.url }),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    let sent: number[] = []
    child.on('message', (message) => {
      sent = message as number[]
    })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`Cannot record ${kind} ${args.join(' ')}: it ended with code ${code}`)
    return sent
  }

  /** Processor time of this server for something, in milliseconds, and the time by the clock. */
  async measure(work: () => Promise<unknown>): Promise<{ readonly cpuMs: number; readonly ms: number }> {
    const before = await this.usage()
    const begin = performance.now()
    await work()
    const ms = performance.now() - begin
    return { cpuMs: (await this.usage()).cpuMs - before.cpuMs, ms }
  }

  /** @returns The one row of an answer. */
  async row(sql: string): Promise<Readonly<Record<string, unknown>>> {
    const { rows } = await this.client.query(sql)
    if (rows.length !== 1)
      throw new Error(`Cannot measure: ${rows.length} rows where one was expected: ${sql}`)
    return rows[0]!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    if (this.#child.exitCode !== null) return
    this.#child.send('close')
    await once(this.#child, 'exit')
  }
}

async function ended(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`Cannot measure: the server ended with code ${code}`)
}
