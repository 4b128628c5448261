import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { freemem, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { sampleByClock, startRuntimeMetrics } from '../../src/interop/runtime-metrics.ts'
import type { DecodedMeasure } from '../../src/telemetry/decode/measures.ts'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'
import { type Recording, startRecording } from './support/recording.ts'

/** Longer than the time below which rates are left out. What the kernel counts, it counts in real time. */
const LONG_ENOUGH_MS = 250

function measuresOf(recording: Recording, name: string): DecodedMeasure[] {
  return recording
    .read()
    .metrics()
    .filter((measure) => measure.name === name)
}

function onlyValue(recording: Recording, name: string): number {
  const measures = measuresOf(recording, name)
  expect(measures, name).toHaveLength(1)
  return measures[0]!.value
}

test('a sample has the metrics of the reference SDK under its names and units', async () => {
  await using recording = startRecording()
  const metrics = startRuntimeMetrics()
  await sleep(LONG_ENOUGH_MS)
  metrics.sample()
  const units = new Map(
    recording
      .read()
      .metrics()
      .map(({ name, unit, target }) => [name, `${target} ${unit}`]),
  )
  for (const name of ['process_resident_bytes', 'total_memory', 'used_memory', 'free_memory']) {
    expect(units.get(name), name).toBe('runtime bytes')
  }
  expect(units.get('cpu_usage')).toBe('runtime percent')
  expect(onlyValue(recording, 'total_memory')).toBe(totalmem())
  expect(onlyValue(recording, 'process_resident_bytes')).toBeGreaterThan(10e6)
  expect(onlyValue(recording, 'used_memory')).toBeLessThan(totalmem())
  expect(onlyValue(recording, 'free_memory')).toBeLessThan(totalmem())
  expect(onlyValue(recording, 'cpu_usage')).toBeLessThanOrEqual(100)
  metrics.stop()
})

test.runIf(process.platform === 'linux')(
  'on Linux the size of the address space is the one that ps shows',
  async () => {
    await using recording = startRecording()
    const metrics = startRuntimeMetrics()
    metrics.sample()
    const { stdout } = await promisify(execFile)('ps', ['-o', 'vsz=', '-p', String(process.pid)])
    metrics.stop()
    const [bytes] = measuresOf(recording, 'process_virtual_bytes')
    expect(bytes!.value / (Number(stdout) * 1024)).toBeCloseTo(1, 1)
  },
)

test('a sample has the metrics of the Node runtime under the names of the semantic conventions', async () => {
  await using recording = startRecording()
  const metrics = startRuntimeMetrics()
  await sleep(LONG_ENOUGH_MS)
  metrics.sample()
  const sink = recording.read()
  const units = new Map(sink.metrics().map(({ name, unit }) => [name, unit]))
  expect(units.get('nodejs.eventloop.utilization')).toBe('1')
  for (const statistic of ['min', 'max', 'mean', 'p50', 'p90', 'p99']) {
    expect(units.get(`nodejs.eventloop.delay.${statistic}`), statistic).toBe('s')
  }
  expect(units.get('v8js.memory.heap.used')).toBe('By')
  expect(units.get('process.uptime')).toBe('s')
  const spaces = measuresOf(recording, 'v8js.memory.heap.used').map(
    (m) => m.properties['v8js.heap.space.name'],
  )
  expect(spaces).toContain('old_space')
  expect(spaces).toContain('new_space')
  const modes = measuresOf(recording, 'process.cpu.utilization').map((m) => m.properties['cpu.mode'])
  expect(modes).toEqual(['user', 'system'])
  metrics.stop()
})

test('a loop blocked for 300 ms shows in its delay, its utilization and the processor time', async () => {
  await using recording = startRecording()
  const metrics = startRuntimeMetrics()
  await sleep(60) // the loop is looked at before
  const endMs = performance.now() + 300
  while (performance.now() < endMs);
  await sleep(60) // and after
  metrics.sample()
  expect(onlyValue(recording, 'nodejs.eventloop.delay.max')).toBeGreaterThan(0.2)
  expect(onlyValue(recording, 'nodejs.eventloop.utilization')).toBeGreaterThan(0.3)
  const cpu = measuresOf(recording, 'process.cpu.utilization').reduce((sum, { value }) => sum + value, 0)
  expect(cpu).toBeGreaterThan(0.02)
  metrics.stop()
})

test('an idle loop has next to no delay, whatever the time between two looks at it', async () => {
  await using recording = startRecording()
  // Delays would seem to be as long as that time, were it not taken off.
  const resolutionMs = 500
  const metrics = startRuntimeMetrics({ eventLoopResolutionMs: resolutionMs })
  await sleep(3 * resolutionMs)
  metrics.sample()
  expect(onlyValue(recording, 'nodejs.eventloop.delay.min')).toBeLessThan(resolutionMs / 1_000 / 2)
  metrics.stop()
})

test('each garbage collection is recorded with its type', async () => {
  await using recording = startRecording()
  const metrics = startRuntimeMetrics()
  let kept: unknown[] = []
  for (let i = 0; i < 1_000_000; i++) {
    kept.push({ i })
    if (kept.length > 1000) kept = []
  }
  await until(() => measuresOf(recording, 'v8js.gc.duration').length > 0)
  metrics.stop()
  const collections = measuresOf(recording, 'v8js.gc.duration')
  for (const { value, unit, properties } of collections) {
    expect(unit).toBe('s')
    expect(value).toBeGreaterThanOrEqual(0)
    expect(['major', 'minor', 'incremental', 'weakcb']).toContain(properties['v8js.gc.type'])
  }
})

test('samples are taken by themselves, and rates are left out where the last sample was just now', async () => {
  await using recording = startRecording()
  const clock = new ManualClock()
  const metrics = sampleByClock(clock, { periodMs: 200 })
  await clock.advance(599)
  metrics.sample()
  metrics.stop()
  expect(measuresOf(recording, 'process.uptime')).toHaveLength(2 + 2)
  expect(measuresOf(recording, 'nodejs.eventloop.utilization')).toHaveLength(2)
  expect(measuresOf(recording, 'process.cpu.utilization')).toHaveLength(2 * 2)
})

test('stopping records a last sample and leaves nothing behind', async () => {
  await using recording = startRecording()
  const before = process.getActiveResourcesInfo()
  const metrics = startRuntimeMetrics()
  metrics.stop()
  expect(measuresOf(recording, 'process_resident_bytes')).toHaveLength(1)
  expect(process.getActiveResourcesInfo()).toEqual(before)
  metrics.sample()
  metrics.stop()
  expect(measuresOf(recording, 'process_resident_bytes')).toHaveLength(1)
})

test('where there is no proc file system the other sources are used', async () => {
  await using recording = startRecording()
  const metrics = startRuntimeMetrics({ procRoot: '/nowhere' })
  await sleep(LONG_ENOUGH_MS)
  metrics.stop()
  expect(measuresOf(recording, 'process_virtual_bytes')).toEqual([])
  expect(onlyValue(recording, 'free_memory') / freemem()).toBeCloseTo(1, 0)
  expect(onlyValue(recording, 'used_memory')).toBeGreaterThan(0)
  expect(onlyValue(recording, 'cpu_usage')).toBeGreaterThanOrEqual(0)
})

test('the proc file system is read as documented, and content that is none of it is passed over', async () => {
  await using recording = startRecording()
  const root = mkdtempSync(join(tmpdir(), 'micromegas-proc-'))
  try {
    mkdirSync(join(root, 'self'))
    writeFileSync(join(root, 'stat'), 'cpu  100 0 100 700 100 0 0 0 0 0\n')
    writeFileSync(join(root, 'meminfo'), 'MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\n')
    const fields = ['S', ...Array.from({ length: 19 }, () => '0'), '123456', '77']
    writeFileSync(join(root, 'self', 'stat'), `1 (a) b) ${fields.join(' ')}\n`)
    const clock = new ManualClock()
    const metrics = sampleByClock(clock, { procRoot: root })
    await clock.advance(LONG_ENOUGH_MS)
    // 60 ticks busy of 100
    writeFileSync(join(root, 'stat'), 'cpu  130 10 110 740 100 4 3 3 0 0\n')
    metrics.sample()
    expect(onlyValue(recording, 'cpu_usage')).toBe(60)
    expect(onlyValue(recording, 'used_memory')).toBe(600 * 1024)
    expect(onlyValue(recording, 'free_memory')).toBe(100 * 1024)
    expect(onlyValue(recording, 'process_virtual_bytes')).toBe(123456)
    for (const name of ['stat', 'meminfo', 'self/stat']) writeFileSync(join(root, name), 'nonsense')
    metrics.stop()
    expect(measuresOf(recording, 'process_virtual_bytes')).toHaveLength(1)
    expect(measuresOf(recording, 'used_memory')).toHaveLength(2)
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('every value is a finite number', async () => {
  const invalidBefore = dispatch.stats.metrics.invalid
  await using recording = startRecording()
  const clock = new ManualClock()
  const metrics = sampleByClock(clock)
  metrics.sample()
  await clock.advance(LONG_ENOUGH_MS)
  metrics.stop()
  recording.read()
  expect(dispatch.stats.metrics.invalid).toBe(invalidBefore)
})

test('a process that samples ends by itself, and a worker thread samples itself without the process', async () => {
  const script = fileURLToPath(new URL('./support/sampling.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 15_000 })
  expect(stdout.trim().split('\n').sort()).toEqual([
    'main sampled=true process=true',
    'worker sampled=true process=false',
  ])
})

test.each([
  { periodMs: 199 },
  { periodMs: Number.NaN },
  { periodMs: '5000' as never },
  { eventLoopResolutionMs: 0 },
  { eventLoopResolutionMs: 1.5 },
])('options out of range are refused: %j', (options) => {
  expect(() => startRuntimeMetrics(options)).toThrow(RangeError)
})

test.each([2 ** 31, Number.POSITIVE_INFINITY])('a period of %d ms is the longest there is', async (ms) => {
  const overflows: Error[] = []
  const onWarning = (warning: Error): void => {
    if (warning.name === 'TimeoutOverflowWarning') overflows.push(warning)
  }
  process.on('warning', onWarning)
  const metrics = startRuntimeMetrics({ periodMs: ms, eventLoopResolutionMs: ms })
  metrics.stop()
  await new Promise(setImmediate) // warnings come in the next turn
  process.off('warning', onWarning)
  expect(overflows).toEqual([])
})
