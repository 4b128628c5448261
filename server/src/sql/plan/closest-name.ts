/** The name of the list that a mistyped one most likely means; `undefined` for an empty list. */
export function closestName(name: string, candidates: readonly string[]): string | undefined {
  let closest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const cost = editDistance(name, candidate)
    if (cost < least) {
      least = cost
      closest = candidate
    }
  }
  return closest
}

/** Changes of single letters that make one text of another. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1))
    }
    previous = current
  }
  return previous[b.length]!
}
