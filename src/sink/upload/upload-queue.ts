import { PRIORITIES, Priority } from './priority.ts'
import type { UploadItem } from './upload-item.ts'

export interface QueueBudget {
  /** At this many bytes held, new traces are shed. */
  readonly softBytes: number
  /** At this many bytes held, new logs and metrics are shed too. */
  readonly hardBytes: number
}

/**
 * What waits for its first attempt, by priority, and the count of bytes held: here, waiting for another attempt, and in
 * flight. It says what is shed when the service is away for long.
 *
 * The newcomer is shed and nothing queued is evicted, as in the reference sink: what happened first is what explains
 * an outage, and a span tree or a counter's history is worth more whole up to a time than full of holes. A class is
 * shed once the budget is reached, so the bytes held exceed it by less than one block.
 */
export class UploadQueue {
  readonly #budget: QueueBudget
  readonly #lanes: readonly Lane[] = PRIORITIES.map(() => new Lane())
  #heldBytes = 0

  constructor(budget: QueueBudget) {
    this.#budget = budget
  }

  /** Uncompressed bytes of all items that are not settled. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Items waiting for their first attempt. */
  get size(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.size, 0)
  }

  /** Whether a newcomer of this class is shed now, as `queue_full`; metadata never is. */
  sheds(priority: Priority): boolean {
    if (priority === Priority.Metadata) return false
    const { softBytes, hardBytes } = this.#budget
    return this.#heldBytes >= (priority === Priority.Traces ? softBytes : hardBytes)
  }

  push(item: UploadItem): void {
    this.#heldBytes += item.bytes
    this.#lane(item.priority).push(item)
  }

  /** An item in the queue's care takes less memory than it did. */
  shrink(freedBytes: number): void {
    this.#heldBytes -= freedBytes
  }

  /** The next item of the most important class that has one. */
  peek(): UploadItem | undefined {
    for (const lane of this.#lanes) {
      const item = lane.peek()
      if (item !== undefined) return item
    }
    return undefined
  }

  /** Takes the item that {@link peek} shows; its bytes count until {@link release}. */
  shift(): UploadItem | undefined {
    const item = this.peek()
    return item === undefined ? undefined : this.#lane(item.priority).shift()
  }

  /** The item is settled: its bytes are free. */
  release(item: UploadItem): void {
    this.#heldBytes -= item.bytes
  }

  #lane(priority: Priority): Lane {
    return this.#lanes[priority] as Lane
  }
}

/** First in, first out, in constant time; an array's `shift` moves all the others. */
class Lane {
  #items: (UploadItem | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: UploadItem): void {
    this.#items.push(item)
  }

  peek(): UploadItem | undefined {
    while (this.#items[this.#head]?.settled) this.#advance() // given up before its turn
    return this.#items[this.#head]
  }

  shift(): UploadItem | undefined {
    const item = this.peek()
    if (item !== undefined) this.#advance()
    return item
  }

  #advance(): void {
    this.#items[this.#head++] = undefined
    if (this.#head > 1_000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
  }
}
