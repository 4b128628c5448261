import { detachedText } from './detached-text.ts'

/** How many entries several tables may hold together, and how often they were refused one. */
export class TableBound {
  readonly max: number
  remaining: number
  overflows = 0

  constructor(maxEntries: number) {
    this.max = maxEntries
    this.remaining = maxEntries
  }
}

/** What every table starts with: a logger has a dozen tables, most of which stay empty. */
const NO_ENTRIES: Map<unknown, unknown> = new Map()

/**
 * A table keyed by what users pass, which stops growing: past its bound nothing more is remembered, what is there stays
 * fast, and every miss is counted. Evicting the oldest instead would let one noisy call site push out all the others.
 */
export class BoundedTable<K, V> {
  #entries: Map<K, V> = NO_ENTRIES as Map<K, V>
  readonly #bound: TableBound

  constructor(bound: TableBound) {
    this.#bound = bound
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  /**
   * The value of a key, made and remembered at its first use; `undefined`, and counted, where there is no room for it.
   *
   * @param make - Gets the key as the table keeps it: a text is detached from what it was cut out of.
   */
  getOrMake(key: K, make: (key: K) => V): V | undefined {
    return this.#entries.get(key) ?? this.make(key, make)
  }

  /** The same of a key that is known not to be there. */
  make(key: K, make: (key: K) => V): V | undefined {
    if (this.#bound.remaining === 0) {
      this.#bound.overflows++
      return undefined
    }
    const ownKey = typeof key === 'string' ? (detachedText(key) as K & string) : key
    const made = make(ownKey)
    if (this.#entries === NO_ENTRIES) this.#entries = new Map()
    this.#bound.remaining--
    this.#entries.set(ownKey, made)
    return made
  }
}
