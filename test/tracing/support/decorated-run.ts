import { Level } from '../../../src/model/level.ts'
import { readAsyncSpanEvents } from '../../../src/telemetry/decode/async-spans.ts'
import { EVENT_READERS } from '../../../src/telemetry/decode/event-readers.ts'
import { readThreadSpanEvents } from '../../../src/telemetry/decode/thread-spans.ts'
import { TickConverter } from '../../../src/telemetry/decode/tick-converter.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'

import { BlockParser } from '../../../src/transit/parser.ts'
import { BlockCollector, processOf } from './block-collector.ts'

export interface DecoratedResult {
  readonly outcomes: readonly unknown[]
  /** Names of the spans recorded, in order of their begin; those of async spans with `()`. */
  readonly spans: readonly string[]
  /** File and line of each name. */
  readonly places: Readonly<Record<string, { readonly file: string; readonly line: number }>>
}

/** Records while `use` runs, and prints what it returns and the spans: one JSON object of {@link DecoratedResult}. */
export async function runDecorated(use: () => Promise<readonly unknown[]>): Promise<void> {
  const collector = new BlockCollector()
  const process_ = processOf(dispatch.recordingSince)
  dispatch.start({
    process: process_,
    sinks: [{ sink: collector, maxLevel: Level.Trace }],
    filters: { maxLevel: Level.Trace, targetMaxLevels: {}, interopMaxLevel: Level.Trace },
    cpuTracing: true,
    flushPeriodMs: 3_600_000,
    onSinkError: (error) => {
      throw error
    },
  })
  const outcomes = await use()
  await dispatch.shutdown(1000)
  const ticks = new TickConverter(process_)
  const spans = collector.blocks.flatMap((block) => {
    const parser = new BlockParser(block.stream, EVENT_READERS)
    const events = [...parser.parse(block.dependencies, block.objects)]
    const sync = [...readThreadSpanEvents(events, ticks)].map(({ phase, timeNs, place }) => {
      return { phase, timeNs, name: place.name, file: place.filename, line: place.line }
    })
    const async = [...readAsyncSpanEvents(events, ticks)].map((event) => {
      const { phase, timeNs, name, filename, line } = event
      return { phase, timeNs, name: `${name}()`, file: filename, line }
    })
    return [...sync, ...async].filter(({ phase }) => phase === 'begin')
  })
  spans.sort((a, b) => Number(a.timeNs - b.timeNs))
  const result: DecoratedResult = {
    outcomes,
    spans: spans.map(({ name }) => name),
    places: Object.fromEntries(spans.map(({ name, file, line }) => [name, { file, line }])),
  }
  console.log(JSON.stringify(result))
}
