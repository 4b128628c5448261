import { expect } from 'vitest'
import type { StreamKind, TelemetryStats } from '../../../src/index.ts'
import { droppedEvents, numbersBelow, summary, total } from './accounts.ts'
import { type Arrived, readArrived } from './arrived.ts'

/** What a process said of itself when it ended. */
export interface Account {
  readonly numbers: number
  readonly stats: TelemetryStats
}

/** Every number arrived, once, and the process said so: nothing dropped, nothing pending. */
export async function expectEverythingArrived(
  serverUrl: string,
  processId: string,
  account: Account,
): Promise<Arrived> {
  const arrived = await readArrived(serverUrl, processId)
  expectNumbers(arrived, account.numbers)
  expect(account.stats.upload!.dropped).toEqual({ blocks: 0, events: 0 })
  expectBalance(account.stats)
  expect(total(arrived.events)).toBe(account.stats.upload!.delivered.events)
  return arrived
}

/** The numbers up to this one arrived as logs and as metrics, each once. */
export function expectNumbers({ logs, metrics }: Arrived, end: number): void {
  // Compared as texts: a difference of a hundred thousand elements takes minutes to show.
  const every = summary(numbersBelow(end))
  expect(summary(logs)).toBe(every)
  expect(summary(metrics)).toBe(every)
}

/**
 * No number arrived twice, and by kind, what arrived is what was recorded less what was counted as dropped. To be used
 * where no drop can have reached the server.
 */
export async function expectEveryLossCounted(
  serverUrl: string,
  processId: string,
  account: Account,
): Promise<Arrived> {
  const arrived = await readArrived(serverUrl, processId)
  for (const numbers of [arrived.logs, arrived.metrics]) {
    expect(new Set(numbers).size).toBe(numbers.length)
    for (const number of numbers) {
      if (!(number < account.numbers)) expect.fail(`${number} was never recorded`)
    }
  }
  expectBalance(account.stats)
  const expected = Object.entries(account.stats.recording).map(([kind, { recorded }]) => [
    kind,
    recorded - droppedEvents(account.stats, kind as StreamKind),
  ])
  expect(arrived.events).toEqual(Object.fromEntries(expected))
  return arrived
}

/** What was recorded, or taken over, was handed to the upload, and that delivered, dropped or spooled it. */
export function expectBalance({ recording, upload }: TelemetryStats): void {
  const { enqueued, adopted, delivered, dropped, spooled, pending } = upload!
  const recorded = Object.values(recording).reduce((sum, stream) => sum + stream.recorded, 0)
  expect(enqueued.events).toBe(recorded + adopted.events)
  expect(pending).toEqual({ blocks: 0, events: 0 })
  expect(delivered.events + dropped.events + spooled.events).toBe(enqueued.events)
}
