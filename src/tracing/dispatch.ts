import type { AsyncLocalStorage } from 'node:async_hooks'
import { EMPTY_REPORT, sumReports } from '../model/delivery-report.ts'
import type {
  DeliveryReport,
  EventSink,
  FlushOptions,
  LogEntry,
  SealedBlock,
  StreamKind,
} from '../model/event-sink.ts'
import { Level } from '../model/level.ts'
import type { ProcessInfo } from '../model/process-info.ts'
import { builtin } from '../model/runtime/builtins.ts'
import { type Clock, platformClock, type Timer } from '../model/runtime/clock.ts'
import { readTicks } from './clock.ts'
import { type FilterOptions, Filters } from './filters.ts'
import { spanIdBase } from './spans/span-ids.ts'
import { shareBlock } from './streams/block-memory.ts'
import type { EventStream, StreamStats } from './streams/event-stream.ts'
import { ImageStream } from './streams/image-stream.ts'
import { LateSpanStream } from './streams/late-span-stream.ts'
import { LogStream } from './streams/log-stream.ts'
import { MetricsStream } from './streams/metrics-stream.ts'
import { type OpenAsyncSpan, SpanStream } from './streams/span-stream.ts'
import type { PropertySet } from './values/property-set.ts'

/** A sink and the least severe level of the log events it gets. */
export interface SinkRegistration {
  readonly sink: EventSink
  /**
   * Exact for sinks that show logs at once. Blocks are shared: a sink that takes them gets every event that any such
   * sink asked for.
   */
  readonly maxLevel: Level
}

export interface DispatchOptions {
  readonly process: ProcessInfo
  readonly sinks: readonly SinkRegistration[]
  readonly filters: FilterOptions
  /** Whether spans are recorded. */
  readonly cpuTracing: boolean
  /** Whether spans carry properties. @defaultValue `true` */
  readonly spanProperties?: boolean | undefined
  /** Whether logs within an async span say which. @defaultValue `true` */
  readonly logSpanIds?: boolean | undefined
  /** How long an event may wait in a part-filled block. */
  readonly flushPeriodMs: number
  /** Runs before each periodic flush: the place to record what is measured or counted now. */
  readonly onFlushTick?: (() => void) | undefined
  /** Told of an error thrown by a sink, which breaks the sink's contract. */
  readonly onSinkError: (error: unknown) => void
  /** Called once, with the first event that comes after the shutdown and is lost. */
  readonly onLateEvent?: (() => void) | undefined
  /** @defaultValue the platform's */
  readonly clock?: Clock | undefined
}

export type RecordingStats = Readonly<Record<StreamKind, StreamStats>>

const NO_EVENTS: StreamStats = { recorded: 0, dropped: 0, invalid: 0 }

/** An error or fatal log is sent after this long, unless its block is full before. */
const URGENT_FLUSH_MS = 500

/** Raised whenever the fields that recording code relies on change. */
const ABI = 3
const REGISTRY_KEY = Symbol.for('micromegas.dispatch')

/**
 * The process-wide meeting point of what records and what delivers: the streams, the filters and the sinks. There
 * is one per thread, found through `globalThis`, so that the ESM and the CommonJS build of this package share it.
 */
export class Dispatch {
  readonly abi: number = ABI
  readonly filters: Filters = new Filters()
  readonly log: LogStream = new LogStream()
  readonly metrics: MetricsStream = new MetricsStream()
  readonly cpu: SpanStream = new SpanStream()
  /** Async spans that are written when they end; like those of {@link cpu} otherwise. */
  readonly late: LateSpanStream = new LateSpanStream()
  readonly image: ImageStream = new ImageStream()
  /** The async span that the running code is in. */
  readonly asyncSpans: AsyncLocalStorage<OpenAsyncSpan> = new (builtin(
    'node:async_hooks',
  ).AsyncLocalStorage)()
  /** What ids of traces are made with, drawn once: both builds must give a span the same ids. */
  traceIdKeys: Uint32Array | undefined = undefined
  /** Async spans that have begun and not ended. */
  openAsyncSpans = 0
  /** Whether logs within an async span are tagged with its ids. */
  tagsLogs = true
  /** Ticks before the first event that the next start delivers: recording is on from the moment this is created. */
  recordingSince: bigint = readTicks()
  /** Called before recording stops: the places to record what is known only then. */
  readonly beforeEnd: Set<() => void> = new Set()
  /** What {@link stats} were when telemetry was shut down last; all zero before the first start. */
  statsAtStop: RecordingStats = { log: NO_EVENTS, metrics: NO_EVENTS, cpu: NO_EVENTS, image: NO_EVENTS }
  /** Least severe level of logs that {@link attend} must see. */
  attentionLevel: Level = Level.Error

  #options: DispatchOptions | undefined
  #clock: Clock = platformClock
  /** The sinks of the last run, once it is over, and what they had not got by then. */
  #stopped: readonly SinkRegistration[] = []
  #onSinkError: (error: unknown) => void = () => {}
  /** Below zero before the first. */
  #lastSpanId = -1
  #flushTimer: Timer | undefined
  #urgentTimer: Timer | undefined
  /** Whether an error waits to be sent: one recorded before the start does so until then. */
  #hasUrgent = false
  #hasRecordedLast = false
  #showing = false

  /** Whether telemetry has started and not stopped. */
  get running(): boolean {
    return this.#options !== undefined
  }

  /** Whether any sink takes blocks: without one nothing is written to the streams. */
  get takesBlocks(): boolean {
    return this.filters.blockMaxLevel > Level.Off
  }

  /** Whether any sink shows logs as they are recorded. */
  get showsLogs(): boolean {
    return this.filters.liveMaxLevel > Level.Off
  }

  /** An id that no other async span of the process has. */
  nextSpanId(): number {
    if (this.#lastSpanId < 0) this.#lastSpanId = spanIdBase(builtin('node:worker_threads').threadId)
    return ++this.#lastSpanId
  }

  /** Starts delivery to the sinks, of what was recorded early too. The dispatch must not be running. */
  start(options: DispatchOptions): void {
    this.#options = options
    this.#clock = options.clock ?? platformClock
    this.#onSinkError = options.onSinkError
    this.#stopped = []
    const { process, sinks } = options
    const blockMaxLevel = leastSevere(sinks.filter(({ sink }) => sink.onBlock !== undefined))
    const liveMaxLevel = leastSevere(sinks.filter(({ sink }) => sink.onLog !== undefined))
    for (const { sink } of sinks) this.#guard(() => sink.onStartup(process))
    this.filters.set(options.filters, blockMaxLevel, liveMaxLevel)
    this.attentionLevel = Math.max(Level.Error, liveMaxLevel) as Level
    this.cpu.enabled = options.cpuTracing
    this.cpu.tagsEnds = options.spanProperties ?? true
    this.late.tagsEnds = this.cpu.tagsEnds
    this.tagsLogs = options.cpuTracing && (options.logSpanIds ?? true)
    for (const stream of this.#streams) {
      const wanted = blockMaxLevel > Level.Off && (stream.kind !== 'cpu' || options.cpuTracing)
      if (wanted) stream.open(process.processId, this.recordingSince, streamProperties(stream), this.#onBlock)
      else stream.turnOff()
    }
    if (blockMaxLevel > Level.Off) this.#startFlushing(options)
    if (this.#hasUrgent) this.#flushSoon()
  }

  /** Seals the open blocks and waits until the sinks have sent what they hold. */
  async flush(options?: FlushOptions): Promise<DeliveryReport> {
    this.seal()
    return this.#all(this.#options?.sinks ?? [], (sink) => sink.flush(options))
  }

  /** Calls {@link beforeEnd}, which is then not done by the shutdown: for a last flush before it. */
  recordLast(): void {
    this.#hasRecordedLast = true
    for (const record of this.beforeEnd) this.#guard(record)
  }

  /** {@link flush} for the end of a process, where no promise is run any more; together the sinks take no longer. */
  flushSync(timeoutMs: number): void {
    this.seal()
    this.#eachWithin(timeoutMs, this.#options?.sinks ?? [], (sink, leftMs) => sink.flushSync?.(leftMs))
  }

  /** Seals the open blocks and hands them to the sinks. */
  seal(): void {
    for (const stream of this.#streams) stream.seal()
  }

  /** Seals, then stops recording and the sinks. The dispatch can be started again. */
  shutdown(timeoutMs: number): Promise<DeliveryReport> {
    return this.#all(this.#stop(), (sink) => sink.shutdown({ timeoutMs }))
  }

  /**
   * The same for the end of a process, where no promise is run any more. A shutdown that is under way is brought to its
   * end.
   */
  shutdownSync(timeoutMs: number): void {
    this.#eachWithin(timeoutMs, this.#stop(), (sink, leftMs) => sink.shutdownSync?.(leftMs))
  }

  /** Events that were lost since the last shutdown; 0 while telemetry runs. */
  get lateEvents(): number {
    if (this.#options !== undefined) return 0
    const { stats, statsAtStop } = this
    return (['log', 'metrics', 'cpu', 'image'] as const).reduce(
      (sum, kind) => sum + stats[kind].dropped - statsAtStop[kind].dropped,
      0,
    )
  }

  /** Handles the log events that want more than a place in a block: urgent ones, and those that sinks show at once. */
  attend(level: Level, target: string, message: string, properties: PropertySet | undefined): void {
    if (level <= Level.Error) this.#flushSoon()
    if (level > this.filters.liveMaxLevel || this.#showing) return
    const entry: LogEntry = {
      timeMs: this.#clock.wallMs(),
      level,
      target,
      msg: message,
      properties: properties?.toJSON(),
    }
    this.#showing = true // what a sink logs while it shows an event is not shown: that would not end
    for (const { sink, maxLevel } of this.#options?.sinks ?? []) {
      if (sink.onLog !== undefined && level <= maxLevel) this.#guard(() => sink.onLog?.(entry))
    }
    this.#showing = false
  }

  get stats(): RecordingStats {
    return {
      log: this.log.stats,
      metrics: this.metrics.stats,
      cpu: sumStats(this.cpu.stats, this.late.stats),
      image: this.image.stats,
    }
  }

  get #streams(): readonly EventStream[] {
    return [this.log, this.metrics, this.cpu, this.late, this.image]
  }

  readonly #onBlock = (block: SealedBlock): void => {
    const takers = (this.#options?.sinks ?? []).filter(({ sink }) => sink.onBlock !== undefined)
    const shares = shareBlock(block, takers.length)
    for (const [i, { sink }] of takers.entries()) this.#guard(() => sink.onBlock?.(shares[i]!))
  }

  #stop(): readonly SinkRegistration[] {
    if (this.#options === undefined) return this.#stopped
    if (!this.#hasRecordedLast) this.recordLast()
    this.#hasRecordedLast = false
    const { sinks, onLateEvent } = this.#options
    this.#stopped = sinks
    this.#flushTimer?.cancel()
    this.#urgentTimer?.cancel()
    this.#urgentTimer = undefined
    this.#hasUrgent = false
    const onLate = (): void => {
      for (const stream of this.#streams) stream.onLate = undefined
      onLateEvent?.()
    }
    for (const stream of this.#streams) stream.close(onLate)
    this.statsAtStop = this.stats
    this.filters.liveMaxLevel = Level.Off
    this.filters.epoch++
    this.attentionLevel = Level.Error
    this.#options = undefined
    this.recordingSince = readTicks()
    return sinks
  }

  #startFlushing(options: DispatchOptions): void {
    const { flushPeriodMs } = options
    const tick = (): void => {
      this.#flushTimer = this.#clock.after(flushPeriodMs, tick)
      if (options.onFlushTick !== undefined) this.#guard(options.onFlushTick)
      this.cpu.endOpenThreadSpans()
      this.seal()
    }
    // The first tick comes after a part of the period only, so that a fleet started together does not flush together.
    this.#flushTimer = this.#clock.after(flushPeriodMs * this.#clock.random(), tick)
  }

  #flushSoon(): void {
    this.#hasUrgent = true
    if (this.#urgentTimer !== undefined || this.#options === undefined) return
    this.#urgentTimer = this.#clock.after(URGENT_FLUSH_MS, () => {
      this.#urgentTimer = undefined
      this.#hasUrgent = false
      this.seal()
    })
  }

  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#onSinkError(error)
    }
  }

  #eachWithin(
    timeoutMs: number,
    sinks: readonly SinkRegistration[],
    call: (sink: EventSink, leftMs: number) => void,
  ): void {
    const deadlineMs = this.#clock.now() + timeoutMs
    for (const { sink } of sinks) {
      this.#guard(() => call(sink, Math.max(0, deadlineMs - this.#clock.now())))
    }
  }

  /** Asks every sink; one that fails costs the report of the others nothing. */
  async #all(
    sinks: readonly SinkRegistration[],
    call: (sink: EventSink) => Promise<DeliveryReport>,
  ): Promise<DeliveryReport> {
    const reports = sinks.map(async ({ sink }) => {
      try {
        return await call(sink)
      } catch (error) {
        this.#onSinkError(error)
        return EMPTY_REPORT
      }
    })
    return sumReports(await Promise.all(reports))
  }
}

/** The dispatch of this thread. A copy of the package whose recording code is incompatible keeps one of its own. */
export const dispatch: Dispatch = findDispatch()

function findDispatch(): Dispatch {
  const registry = globalThis as { [REGISTRY_KEY]?: Dispatch }
  const found = registry[REGISTRY_KEY]
  if (found !== undefined) return found.abi === ABI ? found : new Dispatch()
  const created = new Dispatch()
  registry[REGISTRY_KEY] = created
  return created
}

function sumStats(a: StreamStats, b: StreamStats): StreamStats {
  return { recorded: a.recorded + b.recorded, dropped: a.dropped + b.dropped, invalid: a.invalid + b.invalid }
}

function leastSevere(sinks: readonly SinkRegistration[]): Level {
  return Math.max(Level.Off, ...sinks.map(({ maxLevel }) => maxLevel)) as Level
}

/** Threads are told apart by their stream's properties; the views parse `thread-id` as an integer. */
function streamProperties(stream: EventStream): Readonly<Record<string, string>> {
  if (stream.kind !== 'cpu') return {}
  const { threadId } = builtin('node:worker_threads')
  return { 'thread-id': String(threadId), 'thread-name': threadId === 0 ? 'main' : 'worker' }
}
