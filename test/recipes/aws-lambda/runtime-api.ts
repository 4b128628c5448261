import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export interface Answer {
  readonly path: 'response' | 'error'
  readonly body: unknown
}

/** Lambda's Runtime API, as AWS documents it. A sandbox that waits for an invocation is frozen, as it is there. */
export class RuntimeApi implements Disposable {
  readonly #server: Server
  readonly #events = new EventEmitter()
  /** What the sandbox's question for the next invocation is answered by. */
  #idle: ServerResponse | undefined
  #invocations = 0
  /** The process of the sandbox. */
  pid: number | undefined

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  static async start(): Promise<RuntimeApi> {
    const api = new RuntimeApi()
    api.#server.listen(0, '127.0.0.1')
    await once(api.#server, 'listening')
    return api
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resolves once the sandbox has answered, asked for the next invocation and is frozen. */
  async invoke(event: object, timeoutMs: number): Promise<Answer> {
    if (this.#idle === undefined) await once(this.#events, 'idle')
    const id = `invocation-${++this.#invocations}`
    const answered = once(this.#events, id) as Promise<[Answer]>
    const idle = once(this.#events, 'idle')
    process.kill(this.pid!, 'SIGCONT')
    const headers = {
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': String(Date.now() + timeoutMs),
    }
    this.#idle!.writeHead(200, headers).end(JSON.stringify(event))
    this.#idle = undefined
    const [answer] = await answered
    await idle
    return answer
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, id, path] = /\/invocation\/(.+)\/(response|error)$/.exec(request.url!) ?? []
    if (id === undefined) {
      this.#idle = response
      process.kill(this.pid!, 'SIGSTOP')
      this.#events.emit('idle')
      return
    }
    const body = await json(request)
    response.writeHead(202).end()
    this.#events.emit(id, { path, body })
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
