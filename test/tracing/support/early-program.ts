/** A program that records more before the start than is kept, and prints what came of it. */

import { Level } from '../../../src/model/level.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import { recordImage } from '../../../src/tracing/image.ts'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { fmetric } from '../../../src/tracing/metric.ts'
import { span } from '../../../src/tracing/spans/span.ts'
import { BlockCollector, processOf } from './block-collector.ts'

const log = logger('early')
const metric = fmetric('early', 'count')

let rendered = 0
const counted = { toString: () => String(rendered++).padStart(5, '0') }
for (let i = 0; i < 10_000; i++) {
  log.info`early ${counted}`
  metric.record(i)
  span('early', () => {})
}
recordImage('early', 'raw', new Uint8Array(100))

const collector = new BlockCollector()
const startedAt = process.hrtime.bigint()
const since = dispatch.recordingSince
dispatch.start({
  process: processOf(since),
  sinks: [{ sink: collector, maxLevel: Level.Trace }],
  filters: { maxLevel: Level.Trace, targetMaxLevels: {}, interopMaxLevel: Level.Trace },
  cpuTracing: true,
  flushPeriodMs: 3_600_000,
  onSinkError: (error) => {
    throw error
  },
})
const { stats } = dispatch
await dispatch.shutdown(1000)
const delivered: Record<string, number> = {}
for (const { stream, eventCount } of collector.blocks) {
  delivered[stream.kind] = (delivered[stream.kind] ?? 0) + eventCount
}
const firstIsBeforeStart = collector.blocks.every(
  ({ beginTicks, endTicks }) => beginTicks === since && beginTicks < startedAt && endTicks >= startedAt,
)
console.log(JSON.stringify({ stats, delivered, rendered, firstIsBeforeStart }))
