import type { DecodedBlock } from 'micromegas/wire'
import type { ServerEvent } from '../server-event.ts'
import type { StoredBlock } from '../store/store-index.ts'
import { type BlockEvents, readBlockEvents } from './block-views.ts'
import { type Catalog, formatReason, type OpenBlock } from './catalog.ts'

/** What is known of a block's content. */
export type BlockState = 'unchecked' | 'waiting' | 'readable' | 'unreadable'

export interface BlockCheckerOptions {
  readonly catalog: Catalog
  readonly report: (event: ServerEvent) => void
  /** Called with the events of every readable block, in the order the blocks came. */
  readonly onEvents: ((block: OpenBlock, events: BlockEvents) => void) | undefined
}

/** Decoded blocks kept in memory for the check; further ones are read back from the disk. */
const MAX_HELD_BYTES = 64 * 1024 * 1024

interface Task {
  readonly stored: StoredBlock
  readonly decoded: DecodedBlock | undefined
}

/**
 * Reads every block after it was stored, one at a time, and says which no reader can make sense of: a Micromegas server
 * finds out much later and tells nobody. Blocks without their stream or process wait for it.
 */
export class BlockChecker {
  readonly #options: BlockCheckerOptions
  readonly #states = new WeakMap<StoredBlock, BlockState>()
  /** Why blocks are unreadable. */
  readonly #reasons = new WeakMap<StoredBlock, string>()
  #tasks: Task[] = []
  #heldBytes = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: BlockCheckerOptions) {
    this.#options = options
  }

  stateOf(block: StoredBlock): { readonly state: BlockState; readonly reason: string | undefined } {
    return { state: this.#states.get(block) ?? 'unchecked', reason: this.#reasons.get(block) }
  }

  /** Queues a block. */
  check(stored: StoredBlock, decoded: DecodedBlock | undefined): void {
    this.#states.set(stored, 'unchecked')
    const held = this.#heldBytes + stored.bodyBytes <= MAX_HELD_BYTES ? decoded : undefined
    if (held !== undefined) this.#heldBytes += stored.bodyBytes
    this.#tasks.push({ stored, decoded: held })
    this.#start()
  }

  /** Queues the blocks that waited for a stream or process. */
  arrived(what: 'stream' | 'process', id: string): void {
    const { catalog } = this.#options
    const blocks = what === 'stream' ? catalog.blocksOfStream(id) : catalog.blocksOfProcess(id)
    for (const stored of blocks) if (this.#states.get(stored) === 'waiting') this.check(stored, undefined)
  }

  /** Waits for the checks of everything queued. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Ends after the block under way; the rest stays unchecked. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#tasks.length > 0 && !this.#closed) this.#start()
    })
  }

  async #run(): Promise<void> {
    while (this.#tasks.length > 0 && !this.#closed) {
      const tasks = this.#tasks
      this.#tasks = []
      for (const task of tasks) {
        if (this.#closed) return
        if (task.decoded !== undefined) this.#heldBytes -= task.stored.bodyBytes
        try {
          await this.#checkNow(task)
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          this.#options.report({
            type: 'warning',
            message: `cannot check block ${task.stored.blockId}: ${reason}`,
          })
        }
      }
    }
  }

  async #checkNow({ stored, decoded }: Task): Promise<void> {
    const outcome = await this.#options.catalog.open(stored, decoded)
    switch (outcome.state) {
      case 'gone':
        return
      case 'waiting':
        this.#wait(stored, outcome.for, outcome.id)
        return
      case 'unreadable':
        this.#refuse(stored, outcome.reason)
        return
      case 'open':
        await this.#checkEvents(outcome.block)
    }
  }

  async #checkEvents(block: OpenBlock): Promise<void> {
    const { stored } = block
    let events: BlockEvents
    try {
      events = await readBlockEvents(block)
    } catch (error) {
      this.#refuse(stored, formatReason(error))
      return
    }
    this.#states.set(stored, 'readable')
    for (const oddity of this.#oddities(block, events)) {
      this.#options.report({
        type: 'warning',
        message: `block ${stored.blockId} (${block.process.exe}): ${oddity}`,
      })
    }
    this.#options.onEvents?.(block, events)
  }

  /** What a server accepts, but its views then hide or get wrong. */
  *#oddities(block: OpenBlock, events: BlockEvents): Generator<string> {
    const { stored, ticks } = block
    if (stored.eventCount !== events.count) {
      yield `nb_objects says ${stored.eventCount}, there are ${events.count} events`
    }
    if (stored.processId !== block.stream.processId) {
      yield `its process_id is ${stored.processId}, its stream's is ${block.stream.processId}; the stream's counts`
    }
    if (events.unknownTypes.size > 0) {
      const names = [...events.unknownTypes].slice(0, 5).join(', ')
      yield `no view of a stream tagged ${block.stream.tags.join(', ')} shows ${names}`
    }
    const times = [events.logs, events.measures, events.threadSpans, events.asyncSpans, events.images]
    const beginNs = ticks.relativeToNanoseconds(stored.beginTicks)
    const endNs = ticks.relativeToNanoseconds(stored.endTicks)
    let fromNs: bigint | undefined
    let toNs: bigint | undefined
    let isSorted = true
    for (const rows of times) {
      let previous: bigint | undefined
      for (const { timeNs } of rows) {
        if (previous !== undefined && timeNs < previous) isSorted = false
        previous = timeNs
        if (fromNs === undefined || timeNs < fromNs) fromNs = timeNs
        if (toNs === undefined || timeNs > toNs) toNs = timeNs
      }
    }
    if (!isSorted) yield 'its events are not in order of time: queries limited in time miss some'
    if (fromNs !== undefined && toNs !== undefined && (fromNs < beginNs || toNs > endNs)) {
      this.#options.catalog.noteEventTimes(stored, fromNs, toNs)
      yield 'it has events outside of begin_ticks and end_ticks: queries limited in time miss some'
    }
  }

  #wait(stored: StoredBlock, missing: 'stream' | 'process', id: string): void {
    this.#states.set(stored, 'waiting')
    // It may have come since it was found missing.
    if (this.#options.catalog.has(missing, id)) this.check(stored, undefined)
  }

  #refuse(stored: StoredBlock, reason: string): void {
    const { blockId, streamId, processId } = stored
    this.#states.set(stored, 'unreadable')
    this.#reasons.set(stored, reason)
    this.#options.report({ type: 'undecodable', blockId, streamId, processId, reason })
  }
}
