import type { DeliveryCount, DeliveryReport, StreamKind } from '../../model/event-sink.ts'
import type { DropReason } from './outcome.ts'
import type { ItemKind } from './priority.ts'

/** Blocks and events of one kind. */
export interface KindCount extends DeliveryCount {
  readonly kind: StreamKind
}

/** What was given up for one reason. */
export interface DropCount extends DeliveryCount {
  /** `metadata` counts insert requests of processes and streams as blocks, and no events. */
  readonly kind: ItemKind
  readonly reason: DropReason
}

/** How an accepted item ended. */
export type Settlement = 'delivered' | 'spooled' | { readonly dropped: DropReason }

/** A {@link DeliveryCount} being counted. */
class Tally implements DeliveryCount {
  blocks = 0
  events = 0

  add(events: number, sign: 1 | -1 = 1): void {
    this.blocks += sign
    this.events += sign * events
  }

  snapshot(): DeliveryCount {
    return { blocks: this.blocks, events: this.events }
  }
}

/** Items accepted between two flushes; a flush waits for batches, so that it costs nothing per item. */
export class LedgerBatch {
  readonly pending: Tally = new Tally()
  readonly delivered: Tally = new Tally()
  readonly dropped: Tally = new Tally()
  readonly spooled: Tally = new Tally()
  /** Unsettled items, metadata included. */
  open = 0
  readonly whenEmpty: Set<() => void> = new Set()
}

/** Follows the batches that were open when it was made. */
export interface LedgerWatch {
  /** Resolves once every item of the batches is settled. */
  readonly done: Promise<void>
  /** What became of the blocks of the batches since the watch was made. */
  report(): DeliveryReport
}

/**
 * Counts what becomes of every block: blocks and events accepted or refused equal those delivered, dropped, spooled and pending, at
 * every moment.
 */
export class DeliveryLedger {
  readonly #enqueued: Tally = new Tally()
  readonly #delivered: Tally = new Tally()
  readonly #dropped: Tally = new Tally()
  readonly #spooled: Tally = new Tally()
  readonly #adopted: Tally = new Tally()
  readonly #pending: Tally = new Tally()
  readonly #deliveries: Map<StreamKind, Tally> = new Map()
  readonly #drops: Map<ItemKind, Map<DropReason, Tally>> = new Map()
  readonly #untaken: Map<ItemKind, Map<DropReason, Tally>> = new Map()
  #batch: LedgerBatch = new LedgerBatch()
  readonly #earlier: Set<LedgerBatch> = new Set()
  /** Items delivered, metadata included: says whether others got through while one failed. */
  #deliveredItems = 0

  get enqueued(): DeliveryCount {
    return this.#enqueued.snapshot()
  }

  get delivered(): DeliveryCount {
    return this.#delivered.snapshot()
  }

  get dropped(): DeliveryCount {
    return this.#dropped.snapshot()
  }

  get spooled(): DeliveryCount {
    return this.#spooled.snapshot()
  }

  /** Of those enqueued, the ones that an earlier process left. */
  get adopted(): DeliveryCount {
    return this.#adopted.snapshot()
  }

  get pending(): DeliveryCount {
    return this.#pending.snapshot()
  }

  get deliveredItems(): number {
    return this.#deliveredItems
  }

  /** What was recorded here and acknowledged, by kind. */
  get deliveries(): readonly KindCount[] {
    return [...this.#deliveries].map(([kind, tally]) => ({ kind, ...tally.snapshot() }))
  }

  /** Every drop since the sink was made. */
  get drops(): readonly DropCount[] {
    return listed(this.#drops)
  }

  /** The drops since this was last called. */
  takeDrops(): readonly DropCount[] {
    const drops = listed(this.#untaken)
    this.#untaken.clear()
    return drops
  }

  /** An item was queued. */
  accept(kind: ItemKind, events: number): LedgerBatch {
    const batch = this.#batch
    batch.open++
    if (kind !== 'metadata') {
      for (const tally of [this.#enqueued, this.#pending, batch.pending]) tally.add(events)
    }
    return batch
  }

  /** A block that an earlier process left was queued. */
  adopt(kind: ItemKind, events: number): LedgerBatch {
    this.#adopted.add(events)
    return this.accept(kind, events)
  }

  /** A block was given up at the door. */
  refuse(kind: ItemKind, events: number, reason: DropReason): void {
    this.#enqueued.add(events)
    this.#countDrop(kind, events, reason)
  }

  /**
   * An item of a batch came to its end; to be called once per item.
   *
   * @param isOwn - Whether it was recorded here, and not left by an earlier process.
   */
  settle(batch: LedgerBatch, kind: ItemKind, events: number, settlement: Settlement, isOwn = true): void {
    const isBlock = kind !== 'metadata'
    if (isBlock) {
      this.#pending.add(events, -1)
      batch.pending.add(events, -1)
    }
    if (settlement === 'delivered') {
      this.#deliveredItems++
      if (isBlock && isOwn) tallyOf(this.#deliveries, kind).add(events)
      if (isBlock) for (const tally of [this.#delivered, batch.delivered]) tally.add(events)
    } else if (settlement === 'spooled') {
      for (const tally of [this.#spooled, batch.spooled]) tally.add(events)
    } else {
      this.#countDrop(kind, events, settlement.dropped)
      if (isBlock) batch.dropped.add(events)
    }
    if (--batch.open > 0) return
    this.#earlier.delete(batch)
    for (const resolve of batch.whenEmpty) resolve()
    batch.whenEmpty.clear()
  }

  /** Follows what is pending now and not what comes later. */
  watch(): LedgerWatch {
    if (this.#batch.open > 0) {
      this.#earlier.add(this.#batch)
      this.#batch = new LedgerBatch()
    }
    const batches = [...this.#earlier]
    const before = sum(batches)
    const done = Promise.all(batches.map((batch) => new Promise<void>((end) => batch.whenEmpty.add(end))))
    return {
      done: done.then(() => {}),
      report: () => {
        const now = sum(batches)
        return {
          delivered: difference(now.delivered, before.delivered),
          dropped: difference(now.dropped, before.dropped),
          spooled: difference(now.spooled, before.spooled),
          pending: now.pending,
        }
      },
    }
  }

  #countDrop(kind: ItemKind, events: number, reason: DropReason): void {
    if (kind !== 'metadata') this.#dropped.add(events)
    for (const drops of [this.#drops, this.#untaken]) {
      const reasons = drops.get(kind) ?? new Map<DropReason, Tally>()
      drops.set(kind, reasons)
      tallyOf(reasons, reason).add(events)
    }
  }
}

function tallyOf<K>(tallies: Map<K, Tally>, key: K): Tally {
  const tally = tallies.get(key) ?? new Tally()
  tallies.set(key, tally)
  return tally
}

function listed(drops: ReadonlyMap<ItemKind, ReadonlyMap<DropReason, Tally>>): readonly DropCount[] {
  return [...drops].flatMap(([kind, reasons]) =>
    [...reasons].map(([reason, tally]) => ({ kind, reason, ...tally.snapshot() })),
  )
}

function sum(batches: readonly LedgerBatch[]): DeliveryReport {
  const total = (which: keyof DeliveryReport): DeliveryCount => ({
    blocks: batches.reduce((blocks, batch) => blocks + batch[which].blocks, 0),
    events: batches.reduce((events, batch) => events + batch[which].events, 0),
  })
  return {
    delivered: total('delivered'),
    dropped: total('dropped'),
    spooled: total('spooled'),
    pending: total('pending'),
  }
}

function difference(a: DeliveryCount, b: DeliveryCount): DeliveryCount {
  return { blocks: a.blocks - b.blocks, events: a.events - b.events }
}
