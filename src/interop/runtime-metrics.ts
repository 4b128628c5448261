import type {
  EventLoopUtilization,
  IntervalHistogram,
  PerformanceEntry,
  PerformanceObserver,
} from 'node:perf_hooks'
import { builtin } from '../model/runtime/builtins.ts'
import { type Clock, platformClock, type Timer } from '../model/runtime/clock.ts'
import { periodOf } from '../model/text/durations.ts'
import { type FloatMetric, fmetric, type IntegerMetric, imetric } from '../tracing/metric.ts'
import { propertySet } from '../tracing/values/property-set.ts'
import { type MachineCpuTime, SystemProbe } from './system-probe.ts'

const { availableParallelism, totalmem } = builtin('node:os')

export interface RuntimeMetricsOptions {
  /**
   * Time between samples, in milliseconds, from 200; above 2 147 483 647 that often. The default is what the reference SDK samples process memory by;
   * a sample takes half a millisecond where the process was idle before, less where it was not.
   * @defaultValue `5_000`
   */
  readonly periodMs?: number | undefined
  /**
   * How often the event loop is looked at to see whether it is late, in milliseconds, from 1: delays as long as this
   * are always seen, shorter ones by chance. Each look wakes an idle process: measured on Node 20 to 26, looks every
   * 10 ms take 7 to 8 ms of processor time a second, every 50 ms less than 2.
   * @defaultValue `50`
   */
  readonly eventLoopResolutionMs?: number | undefined
  /** Where Linux's proc file system is mounted. Elsewhere it does not matter. @defaultValue `/proc` */
  readonly procRoot?: string | undefined
}

/** Metrics that are being recorded, from {@link startRuntimeMetrics} to {@link stop}. */
export interface RuntimeMetrics {
  /** Records a sample now, besides the periodic ones. Never throws. */
  sample(): void
  /**
   * Records a last sample, so that a short run has one, and stops; nothing is left behind. Later calls do nothing.
   *
   * @param options.sample - Whether to record that sample. @defaultValue `true`
   */
  stop(options?: { readonly sample?: boolean | undefined }): void
}

/** Rates over less time are noise: the kernel counts processor time in steps of up to 10 ms. */
const MIN_INTERVAL_MS = 200
const TARGET = 'runtime'
const NANOSECONDS_PER_SECOND = 1e9
const MICROSECONDS_PER_MILLISECOND = 1000

/**
 * Records what Node and the machine are doing, as metrics of the target `runtime`.
 *
 * By the reference SDK's names, once per process: `total_memory` (at the start), `used_memory`, `free_memory` and
 * `cpu_usage` of the whole machine, `process_resident_bytes`, and on Linux `process_virtual_bytes`.
 *
 * By the names of OpenTelemetry's semantic conventions: `process.cpu.utilization` (tagged `cpu.mode`) and
 * `process.uptime` once per process; `nodejs.eventloop.utilization`, `nodejs.eventloop.delay.min`, `.max`, `.mean`,
 * `.p50`, `.p90`, `.p99`, `v8js.memory.heap.used` (tagged `v8js.heap.space.name`) and one `v8js.gc.duration` for each
 * garbage collection (tagged `v8js.gc.type`) for this thread.
 *
 * The timers do not keep the process alive.
 *
 * @throws RangeError when an option is out of its range.
 */
export function startRuntimeMetrics(options: RuntimeMetricsOptions = {}): RuntimeMetrics {
  return sampleByClock(platformClock, options)
}

/** As {@link startRuntimeMetrics}, by a given clock. */
export function sampleByClock(clock: Clock, options: RuntimeMetricsOptions = {}): RuntimeMetrics {
  const { periodMs = 5_000, eventLoopResolutionMs = 50, procRoot = '/proc' } = options
  const action = 'start runtime metrics'
  const everyMs = periodOf(action, 'periodMs', periodMs, MIN_INTERVAL_MS)
  const resolutionMs = periodOf(action, 'eventLoopResolutionMs', eventLoopResolutionMs, 1)
  if (!Number.isInteger(resolutionMs)) {
    throw new RangeError(
      `Cannot ${action}: eventLoopResolutionMs is ${resolutionMs}, expected a whole number`,
    )
  }
  const samplers: Sampler[] = [new EventLoopSampler(resolutionMs), new HeapSampler(), new GcRecorder()]
  // Worker threads share the process that the main thread samples.
  if (builtin('node:worker_threads').isMainThread) samplers.push(new ProcessSampler(procRoot))
  return new Sampling(samplers, everyMs, clock)
}

/** One source of metrics. */
interface Sampler {
  /**
   * @param intervalMs - Time since the last sample that was not hasty, or since the start.
   * @param isHasty - Whether that is too short for rates: they wait for the next sample.
   */
  sample(intervalMs: number, isHasty: boolean): void
  stop(): void
}

class Sampling implements RuntimeMetrics {
  readonly #samplers: readonly Sampler[]
  readonly #clock: Clock
  readonly #timer: Timer
  #lastMs: number
  #stopped = false

  constructor(samplers: readonly Sampler[], periodMs: number, clock: Clock) {
    this.#samplers = samplers
    this.#clock = clock
    this.#lastMs = clock.now()
    this.#timer = clock.every(periodMs, () => this.sample())
  }

  sample(): void {
    if (this.#stopped) return
    const nowMs = this.#clock.now()
    const intervalMs = nowMs - this.#lastMs
    const isHasty = intervalMs < MIN_INTERVAL_MS
    if (!isHasty) this.#lastMs = nowMs
    for (const sampler of this.#samplers) sampler.sample(intervalMs, isHasty)
  }

  stop({ sample = true }: { readonly sample?: boolean | undefined } = {}): void {
    if (sample) this.sample()
    this.#stopped = true
    this.#timer.cancel()
    for (const sampler of this.#samplers) sampler.stop()
  }
}

class EventLoopSampler implements Sampler {
  readonly #utilization = float('nodejs.eventloop.utilization', '1')
  readonly #min = float('nodejs.eventloop.delay.min', 's')
  readonly #max = float('nodejs.eventloop.delay.max', 's')
  readonly #mean = float('nodejs.eventloop.delay.mean', 's')
  readonly #p50 = float('nodejs.eventloop.delay.p50', 's')
  readonly #p90 = float('nodejs.eventloop.delay.p90', 's')
  readonly #p99 = float('nodejs.eventloop.delay.p99', 's')
  readonly #histogram: IntervalHistogram
  readonly #resolutionNs: number
  #last: EventLoopUtilization

  constructor(resolutionMs: number) {
    const { monitorEventLoopDelay } = builtin('node:perf_hooks')
    this.#histogram = monitorEventLoopDelay({ resolution: resolutionMs })
    this.#histogram.enable()
    this.#resolutionNs = resolutionMs * 1e6
    this.#last = performance.eventLoopUtilization()
  }

  sample(_intervalMs: number, isHasty: boolean): void {
    if (isHasty) return
    const current = performance.eventLoopUtilization()
    this.#utilization.record(performance.eventLoopUtilization(current, this.#last).utilization)
    this.#last = current
    const histogram = this.#histogram
    if (histogram.count === 0) return // the loop has not turned since the last sample
    this.#min.record(this.#delaySeconds(histogram.min))
    this.#max.record(this.#delaySeconds(histogram.max))
    this.#mean.record(this.#delaySeconds(histogram.mean))
    this.#p50.record(this.#delaySeconds(histogram.percentile(50)))
    this.#p90.record(this.#delaySeconds(histogram.percentile(90)))
    this.#p99.record(this.#delaySeconds(histogram.percentile(99)))
    histogram.reset()
  }

  stop(): void {
    this.#histogram.disable()
  }

  /** The histogram holds the time between two looks; what exceeds the time that was asked for is the delay. */
  #delaySeconds(betweenLooksNs: number): number {
    return Math.max(0, betweenLooksNs - this.#resolutionNs) / NANOSECONDS_PER_SECOND
  }
}

class HeapSampler implements Sampler {
  readonly #used = integer('v8js.memory.heap.used', 'By')
  readonly #v8 = process.getBuiltinModule('node:v8')

  sample(): void {
    for (const space of this.#v8.getHeapSpaceStatistics()) {
      this.#used.record(space.space_used_size, propertySet({ 'v8js.heap.space.name': space.space_name }))
    }
  }

  stop(): void {}
}

/** Records each garbage collection soon after it ended. */
class GcRecorder implements Sampler {
  readonly #duration = float('v8js.gc.duration', 's')
  readonly #types: ReadonlyMap<unknown, ReturnType<typeof propertySet>>
  readonly #observer: PerformanceObserver

  constructor() {
    const { constants, PerformanceObserver } = builtin('node:perf_hooks')
    this.#types = new Map([
      [constants.NODE_PERFORMANCE_GC_MAJOR, gcType('major')],
      [constants.NODE_PERFORMANCE_GC_MINOR, gcType('minor')],
      [constants.NODE_PERFORMANCE_GC_INCREMENTAL, gcType('incremental')],
      [constants.NODE_PERFORMANCE_GC_WEAKCB, gcType('weakcb')],
    ])
    this.#observer = new PerformanceObserver((list) => this.#record(list.getEntries()))
    this.#observer.observe({ type: 'gc' })
  }

  sample(): void {
    this.#record(this.#observer.takeRecords())
  }

  stop(): void {
    this.#observer.disconnect()
  }

  #record(entries: readonly PerformanceEntry[]): void {
    for (const entry of entries) {
      const { detail } = entry as { readonly detail?: { readonly kind?: unknown } }
      this.#duration.record(entry.duration / 1000, this.#types.get(detail?.kind))
    }
  }
}

class ProcessSampler implements Sampler {
  readonly #resident = integer('process_resident_bytes', 'bytes')
  readonly #virtual = integer('process_virtual_bytes', 'bytes')
  readonly #usedMemory = integer('used_memory', 'bytes')
  readonly #freeMemory = integer('free_memory', 'bytes')
  readonly #cpuUsage = float('cpu_usage', 'percent')
  readonly #utilization = float('process.cpu.utilization', '1')
  readonly #uptime = float('process.uptime', 's')
  readonly #user = propertySet({ 'cpu.mode': 'user' })
  readonly #system = propertySet({ 'cpu.mode': 'system' })
  readonly #probe: SystemProbe
  #lastProcess: NodeJS.CpuUsage = process.cpuUsage()
  #lastMachine: MachineCpuTime

  constructor(procRoot: string) {
    this.#probe = new SystemProbe(procRoot)
    this.#lastMachine = this.#probe.readMachineCpuTime()
    integer('total_memory', 'bytes').record(totalmem())
  }

  sample(intervalMs: number, isHasty: boolean): void {
    const residentBytes = this.#probe.readResidentBytes()
    if (residentBytes !== undefined) this.#resident.record(residentBytes)
    const virtualBytes = this.#probe.readVirtualBytes()
    if (virtualBytes !== undefined) this.#virtual.record(virtualBytes)
    const { used, free } = this.#probe.readMachineMemory()
    this.#usedMemory.record(used)
    this.#freeMemory.record(free)
    this.#uptime.record(process.uptime())
    if (isHasty) return
    this.#sampleMachineCpu()
    this.#sampleProcessCpu(intervalMs)
  }

  stop(): void {
    this.#probe.close()
  }

  #sampleMachineCpu(): void {
    const current = this.#probe.readMachineCpuTime()
    const total = current.total - this.#lastMachine.total
    const busy = current.busy - this.#lastMachine.busy
    this.#lastMachine = current
    if (total > 0) this.#cpuUsage.record(Math.min(100, Math.max(0, (busy / total) * 100)))
  }

  /** Of the processors this process may use, as the convention has it: 1 means all of them. */
  #sampleProcessCpu(intervalMs: number): void {
    const current = process.cpuUsage()
    const available = intervalMs * MICROSECONDS_PER_MILLISECOND * availableParallelism()
    this.#utilization.record((current.user - this.#lastProcess.user) / available, this.#user)
    this.#utilization.record((current.system - this.#lastProcess.system) / available, this.#system)
    this.#lastProcess = current
  }
}

function float(name: string, unit: string): FloatMetric {
  return fmetric(name, unit, { target: TARGET })
}

function integer(name: string, unit: string): IntegerMetric {
  return imetric(name, unit, { target: TARGET })
}

function gcType(type: string): ReturnType<typeof propertySet> {
  return propertySet({ 'v8js.gc.type': type })
}
