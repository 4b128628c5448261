import { expect } from 'vitest'

/** Floats may differ by a share of their value: sums depend on the order of the rows. */
export function expectClose(actual: unknown, expected: unknown, share: number): void {
  if (typeof expected === 'number' && typeof actual === 'number') {
    expect(Math.abs(actual - expected)).toBeLessThanOrEqual(share * Math.max(1, Math.abs(expected)))
  } else if (Array.isArray(expected) && Array.isArray(actual)) {
    expect(actual).toHaveLength(expected.length)
    for (const [i, item] of expected.entries()) expectClose(actual[i], item, share)
  } else {
    expect(actual).toEqual(expected)
  }
}
