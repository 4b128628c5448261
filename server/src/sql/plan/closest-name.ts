import { editDistance } from 'micromegas/wire'

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
