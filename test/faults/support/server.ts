import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServerOptions } from '../../../server/src/index.ts'
import { Child } from './child.ts'

/** Lets the tests read; servers that authenticate accept it besides what they are told to. */
export const READ_KEY = 'read-key'

type FaultServerOptions = Pick<ServerOptions, 'oidc' | 'checkBlocks'>

/** The embedded ingestion server in a process of its own. What is on its disk survives that process. */
export class ServerProcess implements AsyncDisposable {
  readonly #dataDir: string
  readonly #options: FaultServerOptions
  #child: Child | undefined
  #port = 0

  private constructor(dataDir: string, options: FaultServerOptions) {
    this.#dataDir = dataDir
    this.#options = options
  }

  static async start(options: FaultServerOptions = {}): Promise<ServerProcess> {
    const server = new ServerProcess(await mkdtemp(join(tmpdir(), 'micromegas-faults-')), options)
    await server.restart()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Starts it again, on the same port and data. */
  async restart(): Promise<void> {
    const authentication =
      this.#options.oidc === undefined
        ? { disableAuth: true }
        : { apiKeys: [{ name: 'reader', key: READ_KEY }] }
    this.#child = new Child('server.mjs', [
      { dataDir: this.#dataDir, port: this.#port, maxBytes: 1e12, ...authentication, ...this.#options },
    ])
    this.#port = await this.#child.message<number>()
  }

  /** Ends it as a crash of the machine does: no connection is closed properly, no request answered. */
  async kill(): Promise<void> {
    await this.#child?.[Symbol.asyncDispose]()
    this.#child = undefined
  }

  /** Deletes everything it has. It must not be running. */
  async wipe(): Promise<void> {
    await rm(this.#dataDir, { recursive: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.#dataDir, { recursive: true, force: true })
  }
}
