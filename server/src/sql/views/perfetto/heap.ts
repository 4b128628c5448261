/** Items of which the least comes out first. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #isLess: (a: T, b: T) => boolean

  constructor(isLess: (a: T, b: T) => boolean) {
    this.#isLess = isLess
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isLess(item, items[above]!)) break
      items[at] = items[above]!
      at = above
    }
    items[at] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const least = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return least
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      if (below + 1 < items.length && this.#isLess(items[below + 1]!, items[below]!)) below++
      if (!this.#isLess(items[below]!, last)) break
      items[at] = items[below]!
      at = below
    }
    items[at] = last
    return least
  }
}
