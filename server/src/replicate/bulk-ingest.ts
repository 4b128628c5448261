import { join } from 'node:path'
import { type RecordBatch, TimeUnit, Type } from 'apache-arrow'
import { parseUuid } from 'micromegas/wire'
import {
  type InsertContext,
  insertBlock,
  insertProcess,
  insertStream,
  Refusal,
  refusalOf,
} from '../receive/inserts.ts'
import { batchRows, type SqlRow } from '../sql/read-rows.ts'
import { BlockHalves, TooManyHalves } from './block-halves.ts'
import {
  blockMembers,
  bytes,
  mapOf,
  processBody,
  REPLICATED_TABLES,
  type ReplicatedTable,
  ROW_COLUMNS,
  streamBody,
  text,
  withMember,
} from './row-bodies.ts'

/** The part of the data directory's bytes that halves of blocks may take beside it. */
const HALVES_SHARE = 0.1
const MAX_PROBLEMS = 5

/** Rows that were not taken; the others were. */
export class RowsRefused extends Error {
  override readonly name: string = 'RowsRefused'
  /** Whether it is the rows' own fault: sending them again does not help. */
  readonly isFinal: boolean

  constructor(message: string, isFinal: boolean) {
    super(message)
    this.isFinal = isFinal
  }
}

/**
 * Takes rows of another Micromegas server's tables, as its views show them: processes, streams, blocks, and the payloads of
 * blocks. Everything is stored as if its producer had sent it here; what is known already is left as it is.
 */
export class BulkIngest {
  readonly #context: InsertContext
  readonly #halves: BlockHalves

  constructor(context: InsertContext) {
    const { store, config } = context
    this.#context = context
    this.#halves = new BlockHalves({
      folder: join(store.dataDir, 'halves'),
      maxBytes: Math.floor(config.maxBytes * HALVES_SHARE),
      fsync: config.fsync,
      isStored: (blockId) => store.index.blocks.has(blockId),
    })
  }

  /**
   * @returns The number of rows, known ones included.
   * @throws {@link RowsRefused} once all rows have been tried, or at once for a table or columns that cannot be taken.
   */
  async ingest(table: string, batches: AsyncIterable<RecordBatch>): Promise<number> {
    if (!isReplicated(table))
      throw new RowsRefused(
        `bulk ingest for table ${table} not supported: it is for ${REPLICATED_TABLES.join(', ')}`,
        true,
      )
    let rows = 0
    const refusals: Refusal[] = []
    for await (const batch of batches) {
      checkColumns(table, batch)
      const times = timeColumns(batch)
      for (const row of batchRows(batch)) {
        try {
          await this.#take(table, inNanoseconds(row, times))
        } catch (error) {
          const { status, reason } =
            error instanceof TooManyHalves ? new Refusal(503, error.message) : refusalOf(error)
          refusals.push(new Refusal(status, `row ${rows}: ${reason}`))
        }
        rows += 1
      }
    }
    if (refusals.length === 0) return rows
    const told = refusals.slice(0, MAX_PROBLEMS).map(({ reason }) => reason)
    const more = refusals.length > told.length ? `; and ${refusals.length - told.length} more` : ''
    throw new RowsRefused(
      `${refusals.length} of ${rows} rows of ${table} were not taken, the others were: ${told.join('; ')}${more}`,
      refusals.every(({ status }) => status !== 503),
    )
  }

  async #take(table: ReplicatedTable, row: SqlRow): Promise<void> {
    switch (table) {
      case 'processes':
        return insertProcess(this.#context, processBody(row))
      case 'streams':
        return insertStream(this.#context, streamBody(row))
      case 'blocks':
        return this.#takeHalf(row, 'row', mapOf(blockMembers(row)))
      case 'payloads':
        return this.#takeHalf(row, 'payload', bytes(row, 'payload'))
    }
  }

  async #takeHalf(row: SqlRow, half: 'row' | 'payload', item: Uint8Array): Promise<void> {
    const blockId = parseUuid(text(row, 'block_id'), 'block_id')
    if (this.#context.store.index.blocks.has(blockId)) return
    const otherHalf = half === 'row' ? 'payload' : 'row'
    let other = await this.#halves.get(blockId, otherHalf)
    if (other === undefined) {
      await this.#halves.keep(blockId, half, item)
      // It may have come meanwhile, by another call.
      other = await this.#halves.get(blockId, otherHalf)
      if (other === undefined) return
    }
    const [members, payload] = half === 'row' ? [item, other] : [other, item]
    await insertBlock(this.#context, withMember(members, 'payload', payload))
    await this.#halves.drop(blockId)
  }
}

function isReplicated(table: string): table is ReplicatedTable {
  return REPLICATED_TABLES.some((name) => name === table)
}

function checkColumns(table: ReplicatedTable, { schema }: RecordBatch): void {
  const missing = ROW_COLUMNS[table].filter((name) => !schema.fields.some((field) => field.name === name))
  if (missing.length > 0)
    throw new RowsRefused(`rows of ${table} need the columns ${missing.join(', ')}`, true)
}

const NANOSECONDS: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1_000_000_000n,
  [TimeUnit.MILLISECOND]: 1_000_000n,
  [TimeUnit.MICROSECOND]: 1_000n,
  [TimeUnit.NANOSECOND]: 1n,
}

/** Columns of times that are not in nanoseconds, and the nanoseconds of their unit. */
function timeColumns({ schema }: RecordBatch): readonly (readonly [name: string, factor: bigint])[] {
  return schema.fields.flatMap(({ name, type }) =>
    type.typeId === Type.Timestamp && type.unit !== TimeUnit.NANOSECOND
      ? [[name, NANOSECONDS[type.unit as TimeUnit]] as const]
      : [],
  )
}

function inNanoseconds(row: SqlRow, times: ReturnType<typeof timeColumns>): SqlRow {
  if (times.length === 0) return row
  const converted = times.map(([name, factor]) => {
    const value = row[name]
    return [name, typeof value === 'bigint' ? value * factor : value]
  })
  return { ...row, ...Object.fromEntries(converted) }
}
