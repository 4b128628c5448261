import { randomUUID } from 'node:crypto'
import type { EventSink, LogEntry } from '../../../src/model/event-sink.ts'
import { Level } from '../../../src/model/level.ts'
import { InMemoryEventSink } from '../../../src/sink/in-memory-event-sink.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import type { FilterOptions } from '../../../src/tracing/filters.ts'

export interface RecordingOptions extends Partial<FilterOptions> {
  readonly cpuTracing?: boolean
  readonly onLog?: (entry: LogEntry) => void
}

/** The real dispatch with a sink in memory; what is recorded is read back out of sealed blocks. */
export interface Recording extends AsyncDisposable {
  /** Seals what is recorded so far and gives the sink that has it. */
  read(): InMemoryEventSink
}

export function startRecording(options: RecordingOptions = {}): Recording {
  const sink = new InMemoryEventSink()
  const { onLog } = options
  const live: EventSink = {
    onStartup: () => undefined,
    flush: () => sink.flush(),
    shutdown: () => sink.flush(),
    ...(onLog === undefined ? {} : { onLog }),
  }
  dispatch.start({
    process: {
      processId: randomUUID(),
      exe: 'interop-test',
      username: '',
      realname: '',
      computer: '',
      distro: '',
      cpuBrand: '',
      tscFrequency: 1_000_000_000n,
      startTimeMicros: 0n,
      startTicks: dispatch.recordingSince,
      parentProcessId: undefined,
      properties: {},
    },
    sinks: [
      { sink, maxLevel: Level.Trace },
      { sink: live, maxLevel: Level.Trace },
    ],
    filters: {
      maxLevel: options.maxLevel ?? Level.Trace,
      targetMaxLevels: options.targetMaxLevels ?? {},
      interopMaxLevel: options.interopMaxLevel ?? Level.Trace,
    },
    cpuTracing: options.cpuTracing ?? true,
    flushPeriodMs: 60_000,
    onSinkError: (error) => {
      throw error
    },
  })
  return {
    read(): InMemoryEventSink {
      dispatch.seal()
      return sink
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await dispatch.shutdown(1_000)
    },
  }
}
