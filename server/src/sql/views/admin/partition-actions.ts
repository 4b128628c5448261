import { hourOf } from '../../../tables/parts.ts'
import type { BlockEntry } from '../../../tables/registry.ts'
import type { DecodedViewSet } from '../../../tables/schema.ts'
import { VIEW_SETS } from '../../../tables/schema.ts'
import type { Tables } from '../../../tables/tables.ts'
import type { AdminActions, ProgressLine } from './admin-functions.ts'

const HOUR_NS = 3_600_000_000_000n
/** Views that are never decoded: nothing is to be done for them. */
const WHOLE_VIEWS = ['blocks', 'processes', 'streams']

/** What an administrator does to partitions: here they are what was decoded, by the hour in which it was inserted. */
export class PartitionActions implements AdminActions {
  readonly #tables: Tables
  readonly #wallClock: () => number

  constructor(tables: Tables, wallClock: () => number) {
    this.#tables = tables
    this.#wallClock = wallClock
  }

  async retire(viewSet: string, instance: string, beginNs: bigint, endNs: bigint): Promise<ProgressLine[]> {
    const set = decodedSet(viewSet)
    if (set === undefined) return [this.#line(`no partition of ${viewSet}/${instance} to retire`)]
    const blocks = await this.#tables.retire(
      set,
      (block) => isOf(set, instance, block) && hourOf(block) >= beginNs && hourOf(block) + HOUR_NS <= endNs,
    )
    return [this.#line(`retired ${blocks} blocks of ${viewSet}/${instance}`)]
  }

  async materialize(viewSet: string, beginNs: bigint, endNs: bigint): Promise<ProgressLine[]> {
    const set = decodedSet(viewSet)
    if (set === undefined || set === 'thread_spans' || set === 'async_events' || set === 'images') {
      return [this.#line(`can't find view ${viewSet}`)]
    }
    await this.#tables.ensureInserted(set, beginNs, endNs)
    return [this.#line(`[${time(beginNs)}, ${time(endNs)}] ${viewSet} global: up to date`)]
  }

  async regenerate(viewSet: string, beginNs: bigint, endNs: bigint): Promise<ProgressLine[]> {
    const retired = await this.retire(viewSet, 'global', beginNs, endNs)
    return [...retired, ...(await this.materialize(viewSet, beginNs, endNs))]
  }

  #line(text: string): ProgressLine {
    return { timeNs: BigInt(Math.trunc(this.#wallClock())) * 1_000_000n, text }
  }
}

function decodedSet(viewSet: string): DecodedViewSet | undefined {
  const name = viewSet === 'log_stats' ? 'log_entries' : viewSet
  if (WHOLE_VIEWS.includes(name)) return undefined
  return Object.hasOwn(VIEW_SETS, name) ? (name as DecodedViewSet) : undefined
}

function isOf(set: DecodedViewSet, instance: string, block: BlockEntry): boolean {
  if (set === 'thread_spans') return block.stream.streamId === instance
  return instance === 'global' || block.stream.process.processId === instance
}

function time(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString()
}
