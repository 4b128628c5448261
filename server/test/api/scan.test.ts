import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  comparePositions,
  type EventOrder,
  type EventPosition,
  parseCursor,
  scan,
} from '../../src/scan/scan.ts'
import type { StoredBlock } from '../../src/store/store-index.ts'

const blockIds = Array.from({ length: 6 }, (_, i) => `00000000-0000-4000-8000-00000000000${i}`)

/** Blocks with events at small times, so that many fall on the same instant and many blocks overlap. */
const blocks = fc.array(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 8 }), { maxLength: 6 })

/** All pages, one after the other. */
async function readAll(
  times: readonly (readonly number[])[],
  options: { order: EventOrder; limit: number; budgetBytes: number; sinceNs?: bigint; untilNs?: bigint },
): Promise<EventPosition[]> {
  const { order } = options
  const rowsOf = new Map<string, EventPosition[]>()
  const sources = times.flatMap((events, i) => {
    const blockId = blockIds[i]!
    rowsOf.set(
      blockId,
      events.map((time, index) => ({ timeNs: BigInt(time), blockId, index })),
    )
    if (events.length === 0) return []
    const block = { blockId, fileBytes: 10 } as StoredBlock
    return [{ block, fromNs: BigInt(Math.min(...events)), toNs: BigInt(Math.max(...events)) }]
  })
  const all: EventPosition[] = []
  let text: string | undefined
  for (let page = 0; page < 500; page++) {
    const answer = await scan({
      sources,
      read: async ({ blockId }, window) => {
        const rows =
          rowsOf.get(blockId)?.filter(({ timeNs, index }) => window.accepts(timeNs, blockId, index)) ?? []
        return {
          rows: order === 'oldest' ? rows.sort(comparePositions).slice(0, window.limit) : rows,
          bytes: 10,
        }
      },
      order,
      limit: options.limit,
      sinceNs: options.sinceNs,
      untilNs: options.untilNs,
      cursor: text === undefined ? undefined : parseCursor(text),
      budgetBytes: options.budgetBytes,
    })
    all.push(...answer.rows)
    expect(answer.rows.length).toBeLessThanOrEqual(options.limit)
    if (answer.nextCursor === undefined) return all
    text = answer.nextCursor
  }
  throw new Error('the pages never end')
}

test('the pages together are all events in order, each once, whatever the limit and the budget', async () => {
  await fc.assert(
    fc.asyncProperty(
      blocks,
      fc.constantFrom<EventOrder>('newest', 'oldest'),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom(1, 15, 25, 1000),
      fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined }),
      fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined }),
      async (times, order, limit, budgetBytes, since, until) => {
        const expected = times
          .flatMap((events, i) =>
            events.map((time, index) => ({ timeNs: BigInt(time), blockId: blockIds[i]!, index })),
          )
          .filter(
            ({ timeNs }) =>
              (since === undefined || timeNs >= since) && (until === undefined || timeNs < until),
          )
          .sort(comparePositions)
        if (order === 'newest') expected.reverse()
        const window = {
          ...(since !== undefined && { sinceNs: BigInt(since) }),
          ...(until !== undefined && { untilNs: BigInt(until) }),
        }
        expect(await readAll(times, { order, limit, budgetBytes, ...window })).toEqual(expected)
      },
    ),
    { numRuns: 2000 },
  )
})

test('a page of the newest events opens no block that cannot hold one of them', async () => {
  const opened: string[] = []
  const sources = blockIds.map((blockId, i) => ({
    block: { blockId, fileBytes: 10 } as StoredBlock,
    fromNs: BigInt(i * 10),
    toNs: BigInt(i * 10 + 9),
  }))
  await scan({
    sources,
    read: async ({ blockId }) => {
      opened.push(blockId)
      const base = blockIds.indexOf(blockId) * 10
      return {
        rows: [0, 5].map((offset, index) => ({ timeNs: BigInt(base + offset), blockId, index })),
        bytes: 10,
      }
    },
    order: 'newest',
    limit: 3,
    sinceNs: undefined,
    untilNs: undefined,
    cursor: undefined,
    budgetBytes: 1e9,
  })
  expect(opened).toEqual([blockIds[5], blockIds[4]])
})

test('a cursor that no page ended with is none', () => {
  for (const text of [
    '',
    'x',
    '1_2',
    '1_00000000-0000-4000-8000-000000000000',
    '1_x_1',
    '99999999999999999999',
  ]) {
    expect(parseCursor(text)).toBeUndefined()
  }
})

test('no block is read once nobody waits for the answer', async () => {
  const left = new AbortController()
  let reads = 0
  const sources = Array.from({ length: 100 }, (_, i) => ({
    block: { blockId: `${i}`, fileBytes: 1 } as StoredBlock,
    fromNs: BigInt(i),
    toNs: BigInt(i),
  }))
  const answer = scan({
    sources,
    read: async () => {
      if (++reads === 10) left.abort(new Error('the client has left'))
      return { rows: [], bytes: 1 }
    },
    order: 'oldest',
    limit: 10,
    sinceNs: undefined,
    untilNs: undefined,
    cursor: undefined,
    budgetBytes: 1e9,
    signal: left.signal,
  })
  await expect(answer).rejects.toThrow('the client has left')
  expect(reads).toBe(10)
})
