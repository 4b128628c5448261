/**
 * A program that records spans in every way there is, and prints the place that each name has: a JSON object of
 * {@link PlacesResult}. Where a name's place is expected, the line or the one above says so.
 */

import { Level } from '../../../src/model/level.ts'
import { readAsyncSpanEvents } from '../../../src/telemetry/decode/async-spans.ts'
import { EVENT_READERS } from '../../../src/telemetry/decode/event-readers.ts'
import { readThreadSpanEvents } from '../../../src/telemetry/decode/thread-spans.ts'
import { TickConverter } from '../../../src/telemetry/decode/tick-converter.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import { asyncSpan, beginAsyncSpan, defineSpan, span } from '../../../src/tracing/spans/span.ts'
import { spanFn } from '../../../src/tracing/spans/span-fn.ts'
import { BlockParser } from '../../../src/transit/parser.ts'
import { BlockCollector, processOf } from './block-collector.ts'

export type PlacesResult = Readonly<Record<string, { readonly file: string; readonly line: number }>>

interface Unused {
  readonly toShiftTheLines: boolean
}

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
const options: Unused = { toShiftTheLines: true }

const defined = defineSpan('defined') // at: defined
const wrapped = spanFn(function wrapped() {}) // at: wrapped
const named = spanFn('named', async () => {}) // at: named

class Cart {
  @spanFn // below: Cart.price
  price(): number {
    return 12
  }

  @spanFn('Cart checkout') // at: Cart checkout
  async checkout(): Promise<boolean> {
    return options.toShiftTheLines
  }

  @spanFn // below: Cart.of
  static of(): Cart {
    return new Cart()
  }
}

class BigCart extends Cart {
  override price(): number {
    return super.price() * 100
  }
}

function helper(): void {
  span('in a helper', () => {}) // at: in a helper
}

for (let i = 0; i < 2; i++) {
  span('plain', () => {}) // at: plain
}
helper()
helper()
span(defined, () => {})
wrapped()
await named()
const children = async () => {
  await Promise.all([1, 2].map((n) => asyncSpan(`child ${n}`, () => n))) // at: child 1
}
await asyncSpan('async', children) // at: async
beginAsyncSpan('by hand').end() // at: by hand
new BigCart().price()
await Cart.of().checkout()

await dispatch.shutdown(1000)
const places: Record<string, unknown> = {}
const ticks = new TickConverter(process_)
for (const block of collector.blocks) {
  const parser = new BlockParser(block.stream, EVENT_READERS)
  const events = [...parser.parse(block.dependencies, block.objects)]
  const spans = [...readThreadSpanEvents(events, ticks)].map(({ place }) => place)
  for (const { name, filename, line } of [...spans, ...readAsyncSpanEvents(events, ticks)]) {
    if (name !== 'child 2') places[name] = { file: filename, line }
  }
}
console.log(JSON.stringify(places))
