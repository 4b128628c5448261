/** A program of decorated methods, whose behaviour it prints: one JSON object of {@link DecoratedResult}. */

import { Level } from '../../../src/model/level.ts'
import { readAsyncSpanEvents } from '../../../src/telemetry/async-spans.ts'
import { EVENT_READERS } from '../../../src/telemetry/event-readers.ts'
import { readThreadSpanEvents } from '../../../src/telemetry/thread-spans.ts'
import { TickConverter } from '../../../src/telemetry/tick-converter.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import { spanFn } from '../../../src/tracing/span.ts'
import { BlockParser } from '../../../src/transit/parser.ts'
import { BlockCollector, processOf } from './block-collector.ts'

export interface DecoratedResult {
  readonly outcomes: readonly unknown[]
  /** Names of the spans recorded, in order of their begin; those of async spans with `()`. */
  readonly spans: readonly string[]
}

class Cart {
  readonly #items: number[]

  constructor(items: number[]) {
    this.#items = items
  }

  @spanFn
  total(factor: number, offset = 0): number {
    return this.#sum() * factor + offset
  }

  @spanFn
  #sum(): number {
    return this.#items.reduce((sum, item) => sum + item, 0)
  }

  @spanFn
  async checkout(): Promise<string> {
    await null
    return `paid ${this.total(1)}`
  }

  @spanFn({ name: 'pay later', target: 'shop', async: true })
  promise(): Promise<number> {
    return Promise.resolve(this.#items.length)
  }

  @spanFn('fails')
  fails(): never {
    throw new Error('refused')
  }

  @spanFn
  static empty(): Cart {
    return new Cart([])
  }
}

class GiftCart extends Cart {
  override total(factor: number): number {
    return super.total(factor) + 1
  }
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

const cart = new Cart([1, 2, 3])
const outcomes: unknown[] = [
  cart.total(10),
  cart.total(10, 5),
  new GiftCart([5]).total(2),
  await cart.checkout(),
  await cart.promise(),
  Cart.empty() instanceof Cart,
  Cart.prototype.total.name,
  Cart.prototype.total.length,
]
try {
  cart.fails()
} catch (error) {
  outcomes.push((error as Error).message)
}

await dispatch.shutdown(1000)
const ticks = new TickConverter(process_)
const spans = collector.blocks.flatMap((block) => {
  const events = [...new BlockParser(block.stream, EVENT_READERS).parse(block.dependencies, block.objects)]
  const sync = [...readThreadSpanEvents(events, ticks)].map(({ phase, timeNs, place }) => {
    return { phase, timeNs, name: place.name }
  })
  const async = [...readAsyncSpanEvents(events, ticks)].map(({ phase, timeNs, name }) => {
    return { phase, timeNs, name: `${name}()` }
  })
  return [...sync, ...async].filter(({ phase }) => phase === 'begin')
})
spans.sort((a, b) => Number(a.timeNs - b.timeNs))
const result: DecoratedResult = { outcomes, spans: spans.map(({ name }) => name) }
console.log(JSON.stringify(result))
