/**
 * A program that records under ever new names, texts, templates and property sets, and prints what that took: one JSON
 * line. Run with `--expose-gc`.
 */

import { EMPTY_REPORT } from '../../../src/tracing/delivery-report.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import type { SealedBlock, StreamKind } from '../../../src/tracing/event-sink.ts'
import { Level } from '../../../src/tracing/level.ts'
import { logger } from '../../../src/tracing/logger.ts'
import { fmetric, imetric } from '../../../src/tracing/metric.ts'
import { propertySet } from '../../../src/tracing/property-set.ts'
import { recordLog } from '../../../src/tracing/record-log.ts'
import { asyncSpan, span } from '../../../src/tracing/span.ts'
import { checkRun } from './check-run.ts'
import { processOf } from './recording.ts'

const log = logger('flood')

/** A template object of its own, as generated code would have. */
function template(parts: readonly string[]): TemplateStringsArray {
  return Object.freeze(Object.assign([...parts], { raw: Object.freeze([...parts]) }))
}

/** A short text out of a body of 20 kB, which it holds in memory as long as it is kept itself. */
function cutOut(i: number): string {
  return Buffer.alloc(20_000, `line ${i} of a body `).toString().slice(0, 30)
}

const FLOODS: Readonly<Record<string, (i: number) => unknown>> = {
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
  'lines of bodies': (i) => log.info(cutOut(i)),
  'names cut out of bodies': (i) => {
    fmetric(cutOut(i), cutOut(i), { target: cutOut(i) }).record(i, { [cutOut(i)]: cutOut(i) })
    logger(cutOut(i)).info('hello')
    span(cutOut(i), () => i)
  },
  'span names': (i) => span(`span-${i}`, () => i),
  'async span names': (i) => asyncSpan(`span-${i}`, () => i),
  'interop targets': (i) => recordLog(Level.Info, `interop-${i}`, 'message'),
}

const name = process.argv[2]!
const count = Number(process.argv[3])
const flood = FLOODS[name]!
const process_ = processOf(dispatch.recordingSince)
const run = { events: 0, dependencyBytes: 0 }
let unchecked: SealedBlock[] = []

dispatch.start({
  process: process_,
  sinks: [
    {
      sink: {
        onStartup() {},
        onBlock(block) {
          run.events += block.eventCount
          run.dependencyBytes += block.dependencies.length
          unchecked.push(block)
        },
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
function check(): void {
  const shifted = unchecked.map((block) => {
    const offset = block.objectOffset - (checked.get(block.stream.kind) ?? 0)
    return { ...block, objectOffset: offset }
  })
  for (const { stream, objectOffset, eventCount } of unchecked) {
    checked.set(stream.kind, objectOffset + eventCount)
  }
  unchecked = []
  checkRun(shifted, process_)
}

async function round(from: number, to: number): Promise<number> {
  for (let i = from; i < to; i++) {
    void flood(i)
    if (i % 10_000 === 9999) {
      await new Promise(setImmediate)
      dispatch.seal()
      check()
    }
  }
  dispatch.seal()
  check()
  await new Promise(setImmediate)
  globalThis.gc!()
  await new Promise(setImmediate)
  globalThis.gc!()
  return process.memoryUsage().heapUsed
}

const before = await round(0, 0)
const full = await round(0, count)
const after = await round(count, 2 * count)
await dispatch.shutdown(1000)
console.log(JSON.stringify({ ...run, kept: full - before, grown: after - full, stats: dispatch.stats }))
