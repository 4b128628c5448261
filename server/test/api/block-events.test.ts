import { expect, test } from 'vitest'
import { readBlockEvents } from '../../src/scan/block-views.ts'
import type { OpenBlock } from '../../src/scan/catalog.ts'

const EVENTS = 25_000

test('the events of a large block are read over many turns of the event loop', async () => {
  let turns = 0
  let done = false
  const turn = (): void => {
    turns += 1
    if (!done) setImmediate(turn)
  }
  const unknown = { typeName: 'Unknown', members: new Map() }
  const block = {
    stream: { tags: ['log', 'cpu'] },
    ticks: {},
    *objects() {
      for (let i = 0; i < EVENTS; i++) yield unknown
    },
  } as unknown as OpenBlock
  setImmediate(turn)
  const { count, unknownTypes } = await readBlockEvents(block)
  done = true
  expect(count).toBe(EVENTS)
  expect([...unknownTypes]).toEqual(['Unknown'])
  expect(turns).toBeGreaterThan(5)
})
