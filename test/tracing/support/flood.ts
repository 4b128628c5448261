/**
 * A program that records under ever new names, texts, templates and property sets, and prints what each of them took: a
 * JSON line of {@link FloodResult}. Run with `--expose-gc`; the argument is how often each is used anew.
 */

import { EMPTY_REPORT } from '../../../src/model/delivery-report.ts'
import type { SealedBlock, StreamKind } from '../../../src/model/event-sink.ts'
import { Level } from '../../../src/model/level.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { recordLog } from '../../../src/tracing/logs/record-log.ts'
import { fmetric, imetric } from '../../../src/tracing/metric.ts'
import { asyncSpan, span } from '../../../src/tracing/spans/span.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'
import { processOf } from './block-collector.ts'
import { checkRun } from './check-run.ts'

const log = logger('flood')

/** A template object of its own, as generated code would have. */
function template(parts: readonly string[]): TemplateStringsArray {
  return Object.freeze(Object.assign([...parts], { raw: Object.freeze([...parts]) }))
}

/** A short text out of a body of 20 kB, which it holds in memory as long as it is kept itself. */
function cutOut(i: number): string {
  return Buffer.alloc(20_000, `line ${i} of a body `).toString().slice(0, 30)
}

/** The first ones fill the tables: they show that a short text kept does not keep the long one it is a part of. */
const FLOODS: Readonly<Record<string, (i: number) => unknown>> = {
  'lines of bodies': (i) => log.info(cutOut(i)),
  'names cut out of bodies': (i) => {
    fmetric(cutOut(i), cutOut(i), { target: cutOut(i) }).record(i, { [cutOut(i)]: cutOut(i) })
    logger(cutOut(i)).info('hello')
    span(cutOut(i), () => i)
  },
  texts: (i) => log.info(`text ${i}`),
  'long texts': (i) => log.info(`${i} ${'x'.repeat(400)}`),
  templates: (i) => log.info(template([`template ${i} `, '']), i),
  targets: (i) => logger(`target-${i}`).info('hello'),
  'templates of ever new targets': (i) => logger(`other-${i}`).info`order ${i} placed`,
  'bound loggers': (i) => log.with({ request: i }).info`bound ${i}`,
  'property sets': (i) => log.info('tagged', { request: `r${i}` }),
  'large property sets': (i) => log.info('tagged', { request: `${i}${'p'.repeat(8000)}` }),
  'interned sets': (i) => fmetric('latency', 'ms').record(i, propertySet({ id: i })),
  'metric names': (i) => fmetric(`metric-${i}`, 'ms').record(i),
  'integer metric names': (i) => imetric(`metric-${i}`, 'count', { target: `t${i}` }).record(i),
  'span names': (i) => span(`span-${i}`, () => i),
  'async span names': (i) => asyncSpan(`span-${i}`, () => i),
  'interop targets': (i) => recordLog(Level.Info, `interop-${i}`, 'message'),
}

export interface FloodResult {
  readonly name: string
  readonly events: number
  /** Bytes of heap that are held after the flood, and after as much again. */
  readonly kept: number
  readonly grown: number
}

const baseCount = Number(process.argv[2])
const process_ = processOf(dispatch.recordingSince)
let unchecked: SealedBlock[] = []

dispatch.start({
  process: process_,
  sinks: [
    {
      sink: {
        onStartup() {},
        onBlock: (block) => void unchecked.push(block),
        flush: async () => EMPTY_REPORT,
        shutdown: async () => EMPTY_REPORT,
      },
      maxLevel: Level.Trace,
    },
  ],
  filters: { maxLevel: Level.Trace, targetMaxLevels: {}, interopMaxLevel: Level.Trace },
  cpuTracing: true,
  flushPeriodMs: 3_600_000,
  onSinkError: (error) => {
    throw error
  },
})

const checked = new Map<StreamKind, number>()

/** Checks the blocks so far as a run of its own, and lets go of them. */
function check(): number {
  dispatch.seal()
  const shifted = unchecked.map((block) => {
    const offset = block.objectOffset - (checked.get(block.stream.kind) ?? 0)
    return { ...block, objectOffset: offset }
  })
  let events = 0
  for (const { stream, objectOffset, eventCount } of unchecked) {
    checked.set(stream.kind, objectOffset + eventCount)
    events += eventCount
  }
  unchecked = []
  checkRun(shifted, process_)
  return events
}

function heapUsed(): number {
  globalThis.gc!()
  return process.memoryUsage().heapUsed
}

for (const [name, flood] of Object.entries(FLOODS)) {
  const count = name === 'templates' ? 2 * baseCount : baseCount // their table is the largest
  let events = 0
  const record = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      void flood(i)
      if (i % 1000 === 999) await new Promise(setImmediate)
      if (i % 10_000 === 9999) events += check()
    }
    events += check()
    await new Promise(setImmediate)
  }
  const before = heapUsed()
  await record(0, count)
  const full = heapUsed()
  await record(count, 2 * count)
  const result: FloodResult = { name, events, kept: full - before, grown: heapUsed() - full }
  console.log(JSON.stringify(result))
}
await dispatch.shutdown(1000)
