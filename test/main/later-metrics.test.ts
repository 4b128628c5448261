import { afterEach, expect, test, vi } from 'vitest'

const start = vi.hoisted(() => vi.fn())
vi.mock('../../src/interop/runtime-metrics.ts', () => ({ startRuntimeMetrics: start }))
const { LaterMetrics } = await import('../../src/main/later-metrics.ts')

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

afterEach(() => {
  start.mockReset()
  vi.restoreAllMocks()
})

test('metrics start in the next turn, or for a sample before it', async () => {
  const running = { sample: vi.fn(), stop: vi.fn() }
  start.mockReturnValue(running)
  const first = new LaterMetrics()
  expect(start).not.toHaveBeenCalled()
  await turn()
  expect(start).toHaveBeenCalledTimes(1)
  first.stop()
  expect(running.stop).toHaveBeenCalledTimes(1)

  const second = new LaterMetrics()
  second.sample()
  expect(start).toHaveBeenCalledTimes(2)
  expect(running.sample).toHaveBeenCalledTimes(1)
  await turn()
  expect(start).toHaveBeenCalledTimes(2)
})

test('what is stopped before it starts does not start', async () => {
  const metrics = new LaterMetrics()
  metrics.stop()
  await turn()
  metrics.sample()
  expect(start).not.toHaveBeenCalled()
})

test('a runtime that lacks what they need costs the metrics, which is told once, and nothing else', async () => {
  start.mockImplementation(() => {
    throw new TypeError('monitorEventLoopDelay is not a function')
  })
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const metrics = new LaterMetrics()
  await turn()
  metrics.sample()
  metrics.stop()
  expect(told.mock.calls.map(([line]) => line)).toEqual([
    'micromegas: metrics of the runtime are not recorded: monitorEventLoopDelay is not a function\n',
  ])
})
