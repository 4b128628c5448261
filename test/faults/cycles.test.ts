import { expect, test } from 'vitest'
import { numbersBelow, summary } from './support/accounts.ts'
import { readArrived } from './support/arrived.ts'
import { Child } from './support/child.ts'
import { ServerProcess } from './support/server.ts'

interface Left {
  readonly heapBytes: number
  readonly resources: readonly string[]
  readonly files: number
  readonly listeners: Readonly<Record<string, number>>
}

interface Cycles {
  readonly numbers: number
  readonly processIds: readonly { readonly id: string; readonly delivered: number }[]
  readonly warm: Left
  readonly end: Left
}

test('telemetry that starts and shuts down a hundred times leaks nothing and loses nothing', async () => {
  await using server = await ServerProcess.start()
  await using child = new Child('cycles.mjs', [server.url], { execArgv: ['--expose-gc'] })
  const { numbers, processIds, warm, end } = await child.message<Cycles>()
  expect(await child.ended).toMatchObject({ code: 0 })

  expect(end.resources).toEqual(warm.resources)
  expect(end.files).toBeLessThanOrEqual(warm.files)
  expect(end.listeners).toEqual(warm.listeners)
  // 80 cycles: a leak of one block's buffer each would be 40 MiB.
  expect(end.heapBytes - warm.heapBytes).toBeLessThan(1024 * 1024)

  expect(new Set(processIds.map(({ id }) => id)).size).toBe(100)
  const logs: number[] = []
  for (const { id, delivered } of processIds) {
    const arrived = await readArrived(server.url, id)
    logs.push(...arrived.logs)
    const { log, metrics, cpu, image } = arrived.events
    expect(log + metrics + cpu + image).toBe(delivered)
  }
  expect(summary(logs)).toBe(summary(numbersBelow(numbers)))
})
