import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { benchPath, cleanEnvironment } from '../support/measured-process.ts'

export interface KeptRequest {
  readonly path: string
  readonly body: Uint8Array
}

/** What a discarding server has seen. */
export interface ReceivedReport {
  readonly stats: {
    readonly requests: number
    readonly blocks: number
    /** Bytes of all block requests' bodies, and of the longest. */
    readonly blockBytes: number
    readonly maxBlockBytes: number
  }
  /** Descriptions of processes and streams, and the first and latest blocks. */
  readonly kept: readonly KeptRequest[]
}

/** A server that discards, in a process of its own. */
export class DiscardingServer implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(node: string): Promise<DiscardingServer> {
    const child = fork(benchPath('pipeline/discarding-server.mjs'), {
      execPath: node,
      execArgv: [],
      env: cleanEnvironment(),
      serialization: 'advanced', // bodies are bytes
    })
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new DiscardingServer(child, port)
  }

  async report(): Promise<ReceivedReport> {
    const answer = once(this.#child, 'message')
    this.#child.send('report')
    const [report] = (await answer) as [ReceivedReport]
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'exit')
    this.#child.disconnect()
    await closed
  }
}
