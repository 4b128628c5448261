import { rm } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { BlockSource, Inventory } from '../../tables/decode/block-source.ts'
import type { SqlBatch } from '../engine.ts'
import { LocalEngine } from '../local-engine.ts'
import { plainError } from '../sql-error.ts'
import { BATCHES_AHEAD, type FromWorker, type ToWorker, type WorkerOptions } from './protocol.ts'

/** The engine's own thread: it decodes, asks the database and makes batches, and the server's thread goes on meanwhile. */

const port = parentPort!
const options = workerData as WorkerOptions

function send(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

/** The store, which the server's thread holds. */
class RemoteSource implements BlockSource {
  readonly #reads = new Map<
    number,
    { readonly resolve: (body: Uint8Array | undefined) => void; readonly reject: (error: Error) => void }
  >()
  #inventory: ((inventory: Inventory) => void) | undefined
  #nextId = 0

  inventory(): Promise<Inventory> {
    send({ type: 'list' })
    return new Promise((resolve) => {
      this.#inventory = resolve
    })
  }

  read(kind: 'process' | 'stream' | 'block', itemId: string): Promise<Uint8Array | undefined> {
    const id = this.#nextId++
    send({ type: 'read', id, kind, itemId })
    return new Promise((resolve, reject) => this.#reads.set(id, { resolve, reject }))
  }

  giveInventory(inventory: Inventory): void {
    this.#inventory?.(inventory)
  }

  giveBody(id: number, body: Uint8Array | undefined): void {
    this.#reads.get(id)?.resolve(body)
    this.#reads.delete(id)
  }

  fail(id: number, message: string): void {
    this.#reads.get(id)?.reject(new Error(message))
    this.#reads.delete(id)
  }
}

/** A query under way, as this side of the channel sees it. */
class RunningQuery {
  readonly abort = new AbortController()
  #credit = BATCHES_AHEAD
  #resume: (() => void) | undefined

  more(): void {
    this.#credit++
    this.#resume?.()
  }

  cancel(): void {
    this.abort.abort()
    this.#resume?.()
  }

  /** Waits until the reader can take another batch. */
  async room(): Promise<void> {
    while (this.#credit === 0 && !this.abort.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve
      })
    }
    this.#credit--
  }
}

const source = new RemoteSource()
const running = new Map<number, RunningQuery>()
let opened: Promise<LocalEngine>

async function runQuery(message: ToWorker & { readonly type: 'query' }): Promise<void> {
  const { id, request } = message
  const query = new RunningQuery()
  running.set(id, query)
  try {
    const engine = await opened
    const { fields, schema, batches } = await engine.query({ ...request, signal: query.abort.signal })
    send({ type: 'answer', id, fields, schema })
    for await (const batch of batches) {
      await query.room()
      if (query.abort.signal.aborted) break
      send({ type: 'batch', id, batch }, buffersOf(batch))
    }
    query.abort.signal.throwIfAborted()
    send({ type: 'end', id })
  } catch (error) {
    send({ type: 'error', id, error: plainError(error) })
  } finally {
    running.delete(id)
  }
}

/** Memory that can change hands: all of it but what Node.js shares among small buffers. */
function buffersOf({ messages }: SqlBatch): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  let bytes = 0
  for (const view of messages.flatMap(({ header, body }) => [header, body])) {
    buffers.add(view.buffer as ArrayBuffer)
    bytes += view.byteLength
  }
  const total = [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0)
  return total <= bytes * 2 && bytes > Buffer.poolSize ? [...buffers] : []
}

async function prepare(message: ToWorker & { readonly type: 'prepare' }): Promise<void> {
  const { id, sql, caller } = message
  try {
    const { fields, schema } = await (await opened).prepare(sql, caller)
    send({ type: 'answer', id, fields, schema })
    send({ type: 'end', id })
  } catch (error) {
    send({ type: 'error', id, error: plainError(error) })
  }
}

async function close(): Promise<void> {
  for (const query of running.values()) query.cancel()
  await opened.then(
    (engine) => engine.close(),
    () => undefined,
  )
  send({ type: 'closed' })
  port.close()
}

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'query':
      void runQuery(message)
      break
    case 'prepare':
      void prepare(message)
      break
    case 'more':
      running.get(message.id)?.more()
      break
    case 'cancel':
      running.get(message.id)?.cancel()
      break
    case 'change':
      void opened.then((engine) => engine.notify(message.change))
      break
    case 'body':
      source.giveBody(message.id, message.body)
      break
    case 'bodyFailed':
      source.fail(message.id, message.message)
      break
    case 'inventory':
      source.giveInventory(message.inventory)
      break
    case 'close':
      void close()
  }
})

opened = LocalEngine.open(
  source,
  {
    ...options,
    warn: (message) => send({ type: 'warn', message }),
    audit: (audit) => send({ type: 'audit', audit }),
  },
  async () => {
    if (options.databasePath === undefined) return
    for (const path of [options.databasePath, `${options.databasePath}.wal`]) await rm(path, { force: true })
  },
)
opened.then(
  () => send({ type: 'opened' }),
  (error: unknown) =>
    send({ type: 'failed', message: error instanceof Error ? error.message : String(error) }),
)
