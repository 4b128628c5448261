import { Worker } from 'node:worker_threads'
import type { BlockSource, InventoryChange } from '../../tables/decode/block-source.ts'
import type { SqlAnswer, SqlBatch, SqlCaller, SqlEngine, SqlRequest } from '../engine.ts'
import type { EngineOptions } from '../local-engine.ts'
import { restoreError, SqlError } from '../sql-error.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts'

type Opened = Pick<SqlAnswer, 'fields' | 'schema'>

/** What waits for messages about one query. */
interface Listener {
  readonly answer: (opened: Opened) => void
  readonly batch: (batch: SqlBatch) => void
  readonly end: () => void
  readonly error: (error: Error) => void
}

/**
 * The engine in a thread of its own: what it decodes and computes does not keep the caller's thread from anything. The
 * thread starts with the first query, and again after it broke down.
 */
export class WorkerEngine implements SqlEngine {
  readonly #source: BlockSource
  readonly #options: EngineOptions
  readonly #listeners = new Map<number, Listener>()
  #worker: Worker | undefined
  #nextId = 0
  #closing: Promise<void> | undefined

  constructor(source: BlockSource, options: EngineOptions) {
    this.#source = source
    this.#options = options
  }

  async query(request: SqlRequest): Promise<SqlAnswer> {
    const { signal, ...rest } = request
    signal?.throwIfAborted()
    const id = this.#nextId++
    const queue = new BatchQueue(() => this.#post({ type: 'more', id }))
    const stop = (): void => this.#post({ type: 'cancel', id })
    const finish = (): void => {
      signal?.removeEventListener('abort', stop)
      this.#listeners.delete(id)
    }
    const opened = await new Promise<Opened>((resolve, reject) => {
      this.#listeners.set(id, {
        answer: resolve,
        batch: (batch) => queue.push(batch),
        end: () => {
          finish()
          queue.end()
        },
        error: (error) => {
          finish()
          queue.fail(error)
          reject(error)
        },
      })
      this.#start().postMessage({ type: 'query', id, request: rest } satisfies ToWorker)
      signal?.addEventListener('abort', stop)
    })
    const giveUp = (): void => {
      if (this.#listeners.has(id)) stop()
    }
    return { ...opened, batches: queue.read(giveUp) }
  }

  prepare(sql: string, caller: SqlCaller): Promise<Opened> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#listeners.set(id, {
        answer: resolve,
        batch: () => undefined,
        end: () => this.#listeners.delete(id),
        error: (error) => {
          this.#listeners.delete(id)
          reject(error)
        },
      })
      this.#start().postMessage({ type: 'prepare', id, sql, caller } satisfies ToWorker)
    })
  }

  notify(change: InventoryChange): void {
    // A thread that is not there reads the whole inventory when it starts.
    this.#post({ type: 'change', change })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.postMessage({ type: 'close' } satisfies ToWorker)
    await exited
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  #start(): Worker {
    if (this.#closing !== undefined) throw new SqlError('UNAVAILABLE', 'The server is closing')
    if (this.#worker !== undefined) return this.#worker
    const { warn: _, audit: __, wallClock: ___, ...options } = this.#options
    const worker = startWorker(options)
    this.#worker = worker
    worker.on('message', (message: FromWorker) => this.#take(worker, message))
    worker.on('error', (error) => this.#breakDown(worker, error.message))
    worker.on('exit', () => this.#breakDown(worker, 'its thread ended'))
    return worker
  }

  #breakDown(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const error = new SqlError('UNAVAILABLE', `The SQL engine stopped: ${reason}`)
    for (const listener of [...this.#listeners.values()]) listener.error(error)
    if (this.#closing === undefined) this.#options.warn(error.message)
  }

  #take(worker: Worker, message: FromWorker): void {
    switch (message.type) {
      case 'answer':
        this.#listeners.get(message.id)?.answer(message)
        break
      case 'batch':
        this.#listeners.get(message.id)?.batch(message.batch)
        break
      case 'end':
        this.#listeners.get(message.id)?.end()
        break
      case 'error':
        this.#listeners.get(message.id)?.error(restoreError(message.error))
        break
      case 'read':
        void this.#read(worker, message)
        break
      case 'list':
        void this.#source.inventory().then((inventory) => {
          worker.postMessage({ type: 'inventory', inventory } satisfies ToWorker)
        })
        break
      case 'warn':
        this.#options.warn(message.message)
        break
      case 'audit':
        this.#options.audit?.(message.audit)
        break
      case 'failed':
        this.#breakDown(worker, message.message)
        void worker.terminate()
    }
  }

  async #read(worker: Worker, { id, kind, itemId }: FromWorker & { readonly type: 'read' }): Promise<void> {
    try {
      const body = await this.#source.read(kind, itemId)
      worker.postMessage({ type: 'body', id, body } satisfies ToWorker)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      worker.postMessage({ type: 'bodyFailed', id, message } satisfies ToWorker)
    }
  }
}

/** Beside the built file lies the worker's. The sources are run by the loader of the developers' tools. */
function startWorker(options: WorkerOptions): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./engine-worker.js', import.meta.url), { workerData: options })
  }
  const script = new URL('./engine-worker.ts', import.meta.url).href
  const loader = `import('tsx/esm/api').then(({ register }) => { register(); return import('${script}') })`
  return new Worker(loader, { eval: true, workerData: options })
}

/** Batches that have come and are not yet taken. */
class BatchQueue {
  readonly #taken: () => void
  readonly #waiting: SqlBatch[] = []
  #outcome: { readonly error: Error | undefined } | undefined
  #wake: (() => void) | undefined

  /** @param taken - Called for each batch that the reader takes. */
  constructor(taken: () => void) {
    this.#taken = taken
  }

  push(batch: SqlBatch): void {
    this.#waiting.push(batch)
    this.#wake?.()
  }

  end(): void {
    this.#outcome ??= { error: undefined }
    this.#wake?.()
  }

  fail(error: Error): void {
    this.#outcome ??= { error }
    this.#wake?.()
  }

  /** @param giveUp - Called when the reader leaves, also after the end. */
  async *read(giveUp: () => void): AsyncGenerator<SqlBatch, void, undefined> {
    try {
      for (;;) {
        const batch = this.#waiting.shift()
        if (batch !== undefined) {
          this.#taken()
          yield batch
        } else if (this.#outcome !== undefined) {
          if (this.#outcome.error !== undefined) throw this.#outcome.error
          return
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      giveUp()
    }
  }
}
