/** How many entries several tables may hold together, and how often they were refused one. */
export class TableBound {
  remaining: number
  overflows = 0

  constructor(maxEntries: number) {
    this.remaining = maxEntries
  }
}

/**
 * A table keyed by what users pass, which stops growing: past its bound nothing more is remembered, what is there stays
 * fast, and every miss is counted. Evicting the oldest instead would let one noisy call site push out all the others.
 */
export class BoundedTable<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #bound: TableBound

  constructor(bound: TableBound) {
    this.#bound = bound
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  /** The value of a key, made and remembered at its first use; `undefined`, and counted, where there is no room for it. */
  getOrMake(key: K, make: () => V): V | undefined {
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    if (this.#bound.remaining === 0) {
      this.#bound.overflows++
      return undefined
    }
    const made = make()
    this.#bound.remaining--
    this.#entries.set(key, made)
    return made
  }

  /** Remembers the entry unless the bound is reached. The key is new. */
  add(key: K, value: V): void {
    if (this.#bound.remaining === 0) {
      this.#bound.overflows++
    } else {
      this.#bound.remaining--
      this.#entries.set(key, value)
    }
  }
}
