import { EventEmitter, once } from 'node:events'
import {
  type MicromegasServer,
  type ServerEvent,
  type ServerOptions,
  startServer,
} from '../../../server/src/index.ts'

/** An ingestion server whose reports can be waited for. */
export class WatchedServer implements AsyncDisposable {
  readonly events: ServerEvent[]
  readonly #server: MicromegasServer
  readonly #emitter: EventEmitter

  private constructor(server: MicromegasServer, events: ServerEvent[], emitter: EventEmitter) {
    this.#server = server
    this.events = events
    this.#emitter = emitter
  }

  /** On a free port unless one is given; its data is deleted with it unless `dataDir` says where. */
  static async start(options: ServerOptions): Promise<WatchedServer> {
    const events: ServerEvent[] = []
    const emitter = new EventEmitter()
    const server = await startServer({
      port: 0,
      temporary: options.dataDir === undefined,
      onEvent: (event) => {
        events.push(event)
        emitter.emit('event')
      },
      ...options,
    })
    return new WatchedServer(server, events, emitter)
  }

  get url(): string {
    return this.#server.url
  }

  get port(): number {
    return this.#server.port
  }

  /** Statuses of the refused requests, in order. */
  get refusals(): number[] {
    return this.events.flatMap((event) => (event.type === 'refused' ? [event.status] : []))
  }

  /** Resolves once so many requests have been refused. */
  async refused(count: number): Promise<void> {
    while (this.refusals.length < count) await once(this.#emitter, 'event')
  }

  /** The messages that came from a target, the earliest first. */
  async messages(target: string): Promise<string[]> {
    const { rows } = await this.#server.reader.logEntries({ target, order: 'oldest', limit: 10_000 })
    return rows.map(({ msg }) => msg)
  }

  close(): Promise<void> {
    return this.#server.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
