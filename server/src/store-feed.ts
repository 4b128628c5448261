import type { RecordKind } from './store/data-dir.ts'
import type { Store } from './store/store.ts'
import type { StoredBlock, StoredProcess, StoredStream } from './store/store-index.ts'
import type { BlockFacts, BlockSource, Inventory, InventoryChange } from './tables/decode/block-source.ts'

/** Tells the tables what a store holds, and what happens in it. */
export class StoreFeed implements BlockSource {
  readonly #store: Store
  #listener: ((change: InventoryChange) => void) | undefined
  #pending: Pending | undefined

  constructor(store: Store) {
    this.#store = store
    store.index.onAdded = (item) => this.#add(item)
    store.index.onRemoved = (kind, id) => this.#change()?.removed[PLURALS[kind]].push(id)
  }

  /** From now on the listener is told of changes, those of one turn of the event loop together. */
  listen(listener: (change: InventoryChange) => void): void {
    this.#listener = listener
  }

  /** Tells at once what waits for the end of the turn. */
  flush(): void {
    const change = this.#pending
    this.#pending = undefined
    if (change !== undefined) this.#listener?.(change)
  }

  async inventory(): Promise<Inventory> {
    const { processes, streams, blocks } = this.#store.index
    return {
      processes: Array.from(processes.values(), ({ processId, insertTimeMs }) => ({
        id: processId,
        insertTimeMs,
      })),
      streams: Array.from(streams.values(), ({ streamId, insertTimeMs }) => ({ id: streamId, insertTimeMs })),
      blocks: Array.from(blocks.values(), blockFacts),
    }
  }

  read(kind: RecordKind, id: string): Promise<Uint8Array | undefined> {
    return this.#store.read(kind, id)
  }

  #add(item: StoredProcess | StoredStream | StoredBlock): void {
    const change = this.#change()
    if (change === undefined) return
    if ('blockId' in item) change.blocks.push(blockFacts(item))
    else if ('streamId' in item) change.streams.push({ id: item.streamId, insertTimeMs: item.insertTimeMs })
    else change.processes.push({ id: item.processId, insertTimeMs: item.insertTimeMs })
  }

  #change(): Pending | undefined {
    if (this.#listener === undefined) return undefined
    if (this.#pending === undefined) {
      this.#pending = {
        processes: [],
        streams: [],
        blocks: [],
        removed: { processes: [], streams: [], blocks: [] },
      }
      setImmediate(() => this.flush())
    }
    return this.#pending
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] }
type Pending = Mutable<Omit<InventoryChange, 'removed'>> & {
  readonly removed: Mutable<InventoryChange['removed']>
}

const PLURALS = { process: 'processes', stream: 'streams', block: 'blocks' } as const

function blockFacts(block: StoredBlock): BlockFacts {
  const { blockId, streamId, beginTicks, endTicks, beginTimeMicros, endTimeMicros } = block
  const { objectOffset, eventCount, insertTimeMs } = block
  return {
    blockId,
    streamId,
    beginTicks,
    endTicks,
    beginTimeMicros,
    endTimeMicros,
    objectOffset,
    eventCount,
    insertTimeMs,
  }
}
