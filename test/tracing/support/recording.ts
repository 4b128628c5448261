import type { SealedBlock, StreamKind } from '../../../src/model/event-sink.ts'
import { Level } from '../../../src/model/level.ts'
import type { ProcessInfo } from '../../../src/model/process-info.ts'
import { type AsyncSpanEvent, readAsyncSpanEvents } from '../../../src/telemetry/decode/async-spans.ts'
import { type DecodedImage, readImages } from '../../../src/telemetry/decode/images.ts'
import { type DecodedLogEntry, readLogEntries } from '../../../src/telemetry/decode/log-entries.ts'
import { type DecodedMeasure, readMeasures } from '../../../src/telemetry/decode/measures.ts'
import type { SpanRow } from '../../../src/telemetry/decode/span-place.ts'
import { readThreadSpanEvents, rebuildThreadSpans } from '../../../src/telemetry/decode/thread-spans.ts'
import { TickConverter } from '../../../src/telemetry/decode/tick-converter.ts'
import { type Dispatch, type DispatchOptions, dispatch } from '../../../src/tracing/dispatch.ts'
import type { TransitObject } from '../../../src/transit/value.ts'
import { BlockCollector, processOf } from './block-collector.ts'
import { checkRun, parseBlock } from './check-run.ts'

/** One run of a dispatch whose blocks are kept, to be read back. */
export class Recording implements AsyncDisposable {
  readonly process: ProcessInfo
  readonly #dispatch: Dispatch
  readonly #collector: BlockCollector

  constructor(of: Dispatch, collector: BlockCollector, process: ProcessInfo) {
    this.#dispatch = of
    this.#collector = collector
    this.process = process
  }

  /** Every block so far, the open ones sealed; all of them checked. */
  blocks(kind?: StreamKind): SealedBlock[] {
    this.#dispatch.seal()
    const { blocks } = this.#collector
    checkRun(blocks, this.process)
    return kind === undefined ? blocks : blocks.filter(({ stream }) => stream.kind === kind)
  }

  events(kind: StreamKind): TransitObject[] {
    return this.blocks(kind).flatMap(parseBlock)
  }

  logs(): DecodedLogEntry[] {
    return [...readLogEntries(this.events('log'), this.ticks)]
  }

  messages(): string[] {
    return this.logs().map(({ msg }) => msg)
  }

  measures(): DecodedMeasure[] {
    return [...readMeasures(this.events('metrics'), this.ticks)]
  }

  images(): DecodedImage[] {
    return [...readImages(this.events('image'), this.ticks)]
  }

  asyncEvents(): AsyncSpanEvent[] {
    return [...readAsyncSpanEvents(this.events('cpu'), this.ticks)]
  }

  /** The thread spans as they were recorded: `+name` where one begins, `-name` where it ends. */
  threadEvents(): string[] {
    const events = readThreadSpanEvents(this.events('cpu'), this.ticks)
    return [...events].map(({ phase, place }) => `${phase === 'begin' ? '+' : '-'}${place.name}`)
  }

  /** The rows of the `thread_spans` view, the root row left out. */
  threadSpans(): SpanRow[] {
    const { startTicks } = this.process
    const blocks = this.blocks('cpu').map((block) => ({
      blockId: block.blockId,
      beginTicks: block.beginTicks - startTicks,
      endTicks: block.endTicks - startTicks,
      objectOffset: BigInt(block.objectOffset),
      objects: parseBlock(block),
    }))
    return rebuildThreadSpans(blocks, this.ticks, 'main').slice(1)
  }

  get ticks(): TickConverter {
    return new TickConverter(this.process)
  }

  async stop(): Promise<void> {
    await this.#dispatch.shutdown(1000)
    checkRun(this.#collector.blocks, this.process)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** Starts the given dispatch, by default that of the process, with a sink that takes everything. */
export function startRecording(options: Partial<DispatchOptions> = {}, of: Dispatch = dispatch): Recording {
  const process = processOf(of.recordingSince)
  const collector = new BlockCollector()
  of.start({
    process,
    filters: { maxLevel: Level.Trace, targetMaxLevels: {}, interopMaxLevel: Level.Trace },
    cpuTracing: true,
    flushPeriodMs: 3_600_000,
    onSinkError: (error) => {
      throw error
    },
    ...options,
    sinks: [{ sink: collector, maxLevel: Level.Trace }, ...(options.sinks ?? [])],
  })
  return new Recording(of, collector, process)
}
