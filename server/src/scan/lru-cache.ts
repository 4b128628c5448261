/** Keeps the values used last, up to a total cost. A value that alone costs more is not kept. */
export class LruCache<V> {
  readonly #maxCost: number
  readonly #entries = new Map<string, { readonly value: V; readonly cost: number }>()
  #cost = 0

  constructor(maxCost: number) {
    this.#maxCost = maxCost
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    // A Map keeps its insertion order: the entry used last goes to the end.
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: V, cost: number): void {
    this.delete(key)
    if (cost > this.#maxCost) return
    this.#entries.set(key, { value, cost })
    this.#cost += cost
    for (const [oldest, entry] of this.#entries) {
      if (this.#cost <= this.#maxCost) break
      this.#entries.delete(oldest)
      this.#cost -= entry.cost
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#cost -= entry.cost
  }
}
