import type { TransitObject } from 'micromegas/wire'
import type { Connection, Database } from './database.ts'
import { BlockReader } from './decode/block-reader.ts'
import type { BlockSource, InventoryChange } from './decode/block-source.ts'
import type { ColumnBuffer } from './decode/column-buffer.ts'
import { DecodeState } from './decode/decode-state.ts'
import { DecodedLog } from './decode/decoded-log.ts'
import { Decoder } from './decode/decoder.ts'
import { EventRows } from './decode/event-rows.ts'
import { type Need, NeededBlocks } from './needed-blocks.ts'
import { hourOf, partOf } from './parts.ts'
import { type BlockEntry, Registry } from './registry.ts'
import { nextNumbers, restoreRegistry } from './restore.ts'
import { BLOCK_TABLES, type DecodedViewSet, SCHEMA_VERSION, TABLES, VIEW_SETS } from './schema.ts'

export interface TablesOptions {
  readonly warn: (message: string) => void
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number
}

/** Rows that wait are appended once there are so many: one append costs as much as some thousand rows. */
const ROWS_PER_APPEND = 100_000
/** Decoding that nobody waits for lets queries in after so many blocks. */
const BLOCKS_PER_TURN = 20
/**
 * The tables that queries read, made from the blocks of the store: a cache, in which a block is decoded when a query
 * first needs it and never again. One change runs at a time.
 */
export class Tables {
  readonly #database: Database
  readonly #connection: Connection
  readonly #reader: BlockReader
  readonly #registry: Registry
  readonly #rows: EventRows
  readonly #state: DecodeState
  readonly #needed: NeededBlocks
  readonly #decoder: Decoder
  readonly #options: TablesOptions
  #tail: Promise<unknown> = Promise.resolve()
  #applied: Promise<void> = Promise.resolve()

  private constructor(
    database: Database,
    connection: Connection,
    reader: BlockReader,
    registry: Registry,
    rows: EventRows,
    state: DecodeState,
    options: TablesOptions,
  ) {
    this.#database = database
    this.#connection = connection
    this.#reader = reader
    this.#registry = registry
    this.#rows = rows
    this.#state = state
    this.#needed = new NeededBlocks(registry, state)
    this.#decoder = new Decoder(reader, registry, rows, options.warn)
    this.#options = options
  }

  /**
   * Makes the tables where they are missing and brings them up to what the store holds.
   *
   * @returns `undefined` when the database is of another version: it must be deleted and made anew.
   */
  static async open(
    database: Database,
    source: BlockSource,
    options: TablesOptions,
  ): Promise<Tables | undefined> {
    const connection = await database.connect()
    for (const statement of TABLES) await connection.run(statement)
    const [version] = await connection.all("SELECT value FROM meta WHERE name = 'schema_version'")
    if (version === undefined) {
      await connection.run(`INSERT INTO meta VALUES ('schema_version', '${SCHEMA_VERSION}')`)
    } else if (version[0] !== `${SCHEMA_VERSION}`) {
      connection.close()
      return undefined
    }
    const reader = new BlockReader(source)
    const next = await nextNumbers(connection)
    const registry = new Registry(reader, next, options.warn)
    const state = new DecodeState()
    await restoreRegistry(connection, registry, state)
    const tables = new Tables(database, connection, reader, registry, new EventRows(next), state, options)
    await tables.#synchronize(source)
    return tables
  }

  get registry(): Registry {
    return this.#registry
  }

  /** Which blocks a query needs. */
  get needed(): NeededBlocks {
    return this.#needed
  }

  get database(): Database {
    return this.#database
  }

  /** Takes up what was stored or deleted. */
  change(change: InventoryChange): Promise<void> {
    const applied = this.#exclusively(() => this.#apply(change))
    this.#applied = applied.catch(() => undefined)
    return applied
  }

  /** Waits until all changes told so far have been taken up. */
  changesApplied(): Promise<void> {
    return this.#applied
  }

  /**
   * Decodes some of the blocks that a set of views lacks, the latest first.
   *
   * @returns Whether there are more.
   */
  decodeSome(viewSet: Exclude<DecodedViewSet, 'thread_spans'>): Promise<boolean> {
    return this.#exclusively(async () => {
      const pending = this.#needed.pending({ viewSet })
      await this.#decode(viewSet, pending.slice(-BLOCKS_PER_TURN), undefined)
      return pending.length > BLOCKS_PER_TURN
    })
  }

  /** Decodes what a query needs and the tables lack. */
  ensure(need: Need, signal?: AbortSignal): Promise<void> {
    if (this.#needed.pending(need).length === 0) return Promise.resolve()
    return this.#exclusively(async () => {
      if (need.viewSet === 'thread_spans') await this.#decodeSpans(need, signal)
      else await this.#decode(need.viewSet, this.#needed.pending(need), signal)
    })
  }

  /** Decodes what was inserted in a time: nanoseconds since the Unix epoch, the end excluded. */
  ensureInserted(
    viewSet: Exclude<DecodedViewSet, 'thread_spans'>,
    fromNs: bigint,
    toNs: bigint,
  ): Promise<void> {
    return this.#exclusively(() => {
      const pending = this.#needed.pending({ viewSet })
      return this.#decode(
        viewSet,
        pending.filter(({ insertNs }) => insertNs >= fromNs && insertNs < toNs),
        undefined,
      )
    })
  }

  /** Drops what was decoded of blocks, to be decoded anew when it is needed. @returns How many blocks. */
  retire(viewSet: DecodedViewSet, isMeant: (block: BlockEntry) => boolean): Promise<number> {
    return this.#exclusively(() => this.#retire(viewSet, isMeant))
  }

  /** Fills in the sizes of payloads, which only the blocks themselves tell. */
  ensurePayloadSizes(): Promise<void> {
    return this.#exclusively(async () => {
      const unknown = await this.#connection.all('SELECT block_id FROM blocks WHERE payload_size < 0')
      if (unknown.length === 0) return
      const sizes: string[] = []
      for (const [blockId] of unknown) {
        const size = await this.#decoder.payloadSize(String(blockId))
        sizes.push(`('${String(blockId)}', ${size})`)
      }
      await this.#connection.run(
        `UPDATE blocks SET payload_size = v.size FROM (VALUES ${sizes.join(', ')}) AS v(id, size) WHERE block_id = v.id`,
      )
    })
  }

  /**
   * The events of a block, of whatever types; empty when the block is gone.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT`.
   */
  async readObjects(blockId: string): Promise<TransitObject[]> {
    const block = this.#registry.blocks.get(blockId)
    const stream = block && (await this.#reader.stream(block.stream.streamId))
    const body = stream && (await this.#reader.block(blockId))
    return body === undefined ? [] : [...this.#reader.objects(body, stream!)]
  }

  /** Blocks that could not be read, by any set of views. */
  get unreadableBlocks(): number {
    return this.#state.unreadableCount
  }

  async close(): Promise<void> {
    await this.#tail.catch(() => undefined)
    this.#connection.close()
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work, work)
    this.#tail = result.catch(() => undefined)
    return result
  }

  async #synchronize(source: BlockSource): Promise<void> {
    const { processes, streams, blocks } = await source.inventory()
    const has = (items: readonly { readonly id: string }[]): Set<string> => new Set(items.map(({ id }) => id))
    const stored = {
      processes: has(processes),
      streams: has(streams),
      blocks: new Set(blocks.map((b) => b.blockId)),
    }
    const gone = (known: ReadonlyMap<string, unknown>, there: Set<string>): string[] =>
      [...known.keys()].filter((id) => !there.has(id))
    const removed = {
      processes: gone(this.#registry.processes, stored.processes),
      streams: gone(this.#registry.streams, stored.streams),
      blocks: gone(this.#registry.blocks, stored.blocks),
    }
    await this.change({ processes, streams, blocks, removed })
  }

  async #apply(change: InventoryChange): Promise<void> {
    const { removed } = change
    if (removed.blocks.length + removed.streams.length + removed.processes.length > 0)
      await this.#remove(removed)
    await this.#registry.add(change)
    const { processes, streams, blocks } = this.#registry.rows
    await this.#append([processes, streams, blocks])
  }

  async #remove(removed: InventoryChange['removed']): Promise<void> {
    const streams = removed.streams.flatMap((id) => this.#registry.streams.get(id)?.number ?? [])
    const processes = removed.processes.flatMap((id) => this.#registry.processes.get(id)?.number ?? [])
    const blocks = this.#registry.remove(removed)
    const touched = new Map<string, BlockEntry>()
    for (const block of blocks) {
      if (this.#state.has('thread_spans', block.number)) touched.set(partOf(block), block)
      this.#state.forget(block.number)
    }
    await this.#transaction(async () => {
      const numbers = blocks.map(({ number }) => number).join(', ')
      if (numbers !== '') {
        for (const table of BLOCK_TABLES)
          await this.#connection.run(`DELETE FROM ${table} WHERE block IN (${numbers})`)
        await this.#connection.run(`DELETE FROM blocks WHERE id IN (${numbers})`)
      }
      // The calls of an hour are rebuilt without the block.
      for (const block of touched.values()) await this.#dropSpans(block)
      if (streams.length > 0)
        await this.#connection.run(`DELETE FROM streams WHERE id IN (${streams.join(', ')})`)
      if (processes.length > 0) {
        await this.#connection.run(`DELETE FROM processes WHERE id IN (${processes.join(', ')})`)
      }
    })
  }

  async #dropSpans(block: BlockEntry): Promise<void> {
    const { stream } = block
    const hour = hourOf(block)
    await this.#connection.run(`DELETE FROM span_rows WHERE stream = ${stream.number} AND part = ${hour}`)
    const known = [...stream.blocks]
      .filter((other) => hourOf(other) === hour && this.#state.has('thread_spans', other.number))
      .map(({ number }) => number)
    for (const number of known) this.#state.forget(number, 'thread_spans')
    if (known.length > 0)
      await this.#connection.run(
        `DELETE FROM decoded WHERE view_set = ${VIEW_SETS.thread_spans} AND block IN (${known.join(', ')})`,
      )
  }

  async #decode(
    viewSet: Exclude<DecodedViewSet, 'thread_spans'>,
    blocks: readonly BlockEntry[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const log = new DecodedLog(viewSet, this.#options.wallClock)
    for (const block of blocks) {
      if (signal?.aborted) break
      await this.#decoder.decode(viewSet, block, log)
      if (this.#rows.rowCount >= ROWS_PER_APPEND) await this.#store(log)
    }
    await this.#store(log)
    signal?.throwIfAborted()
  }

  async #decodeSpans(need: Need, signal: AbortSignal | undefined): Promise<void> {
    const parts = new Map(this.#needed.pending(need).map((block) => [partOf(block), block]))
    for (const block of parts.values()) {
      signal?.throwIfAborted()
      const log = new DecodedLog('thread_spans', this.#options.wallClock)
      try {
        await this.#decoder.decodeSpans(block, log)
      } catch (error) {
        this.#rows.forget()
        throw error
      }
      await this.#store(log, () => this.#dropSpans(block))
    }
  }

  async #retire(viewSet: DecodedViewSet, isMeant: (block: BlockEntry) => boolean): Promise<number> {
    const meant = [...this.#registry.blocks.values()].filter(
      (block) => this.#state.has(viewSet, block.number) && isMeant(block),
    )
    if (meant.length === 0) return 0
    const numbers = meant.map(({ number }) => number).join(', ')
    const table = ROW_TABLES[viewSet]
    await this.#transaction(async () => {
      if (viewSet === 'thread_spans') {
        for (const block of new Map(meant.map((b) => [partOf(b), b])).values()) await this.#dropSpans(block)
      } else {
        await this.#connection.run(`DELETE FROM ${table} WHERE block IN (${numbers})`)
        await this.#connection.run(
          `DELETE FROM decoded WHERE view_set = ${VIEW_SETS[viewSet]} AND block IN (${numbers})`,
        )
      }
    })
    for (const { number } of meant) this.#state.forget(number, viewSet)
    return meant.length
  }

  /** Appends the rows that wait and notes which blocks they are of: both or neither. */
  async #store(log: DecodedLog, before?: () => Promise<void>): Promise<void> {
    if (log.buffer.rowCount === 0 && this.#rows.rowCount === 0) return
    const entries = log.take()
    try {
      await this.#transaction(async () => {
        await before?.()
        await this.#appendAll([...this.#rows.buffers, log.buffer])
      })
    } catch (error) {
      this.#rows.forget()
      throw error
    }
    for (const { number, isUnreadable } of entries) this.#state.add(log.viewSet, number, isUnreadable)
  }

  #append(buffers: readonly ColumnBuffer[]): Promise<void> {
    return this.#transaction(() => this.#appendAll(buffers))
  }

  async #appendAll(buffers: readonly ColumnBuffer[]): Promise<void> {
    for (const buffer of buffers) {
      if (buffer.rowCount === 0) continue
      const { columns, rowCount } = buffer.take()
      await this.#connection.append(buffer.table, columns, rowCount)
    }
  }

  async #transaction(work: () => Promise<void>): Promise<void> {
    await this.#connection.run('BEGIN TRANSACTION')
    try {
      await work()
      await this.#connection.run('COMMIT')
    } catch (error) {
      await this.#connection.run('ROLLBACK').catch(() => undefined)
      throw error
    }
  }
}

const ROW_TABLES: Readonly<Record<DecodedViewSet, string>> = {
  log_entries: 'log_rows',
  measures: 'measure_rows',
  async_events: 'async_rows',
  thread_spans: 'span_rows',
  images: 'image_rows',
}
