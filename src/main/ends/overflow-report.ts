import { Level } from '../../model/level.ts'
import { templateBound, textBound } from '../../tracing/logs/log-sites.ts'
import { loggerBound } from '../../tracing/logs/logger.ts'
import { recordLog } from '../../tracing/logs/record-log.ts'
import { metricBound } from '../../tracing/metric.ts'
import { spanBound } from '../../tracing/spans/span.ts'
import { lateNameBound } from '../../tracing/streams/late-span-stream.ts'
import type { TableBound } from '../../tracing/values/bounded-table.ts'
import { propertySetBound } from '../../tracing/values/property-set.ts'
import { SELF_TARGET } from './self-metrics.ts'

interface Table {
  readonly bound: TableBound
  /** What there are so many of, and what to do about it. */
  readonly of: string
  readonly advice: string
}

const NAMES = 'put what changes into properties, not into the name'

const TABLES: readonly Table[] = [
  {
    bound: textBound,
    of: 'texts of logs',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: shown as it would be written
    advice: 'record a text that changes by a template: log.info`order ${id}`, without parentheses',
  },
  {
    bound: templateBound,
    of: 'templates of logs',
    advice: 'templates should not be made while the program runs',
  },
  { bound: loggerBound, of: 'targets of loggers', advice: NAMES },
  { bound: metricBound, of: 'metrics', advice: NAMES },
  { bound: spanBound, of: 'names of spans', advice: NAMES },
  { bound: lateNameBound, of: 'names of spans that are named late', advice: NAMES },
  {
    bound: propertySetBound,
    of: 'property sets',
    advice: 'give a set that does not come again as a plain object with the event',
  },
]

const told = new Set<TableBound>()

/**
 * Tells, once for each, of tables that are full: what is recorded beyond is recorded all the same, but costs more. To be
 * called from the flush tick.
 */
export function reportOverflows(tables: readonly Table[] = TABLES): void {
  for (const { bound, of, advice } of tables) {
    if (bound.overflows === 0 || told.has(bound)) continue
    told.add(bound)
    const count = bound.max.toLocaleString('en')
    recordLog(
      Level.Warn,
      SELF_TARGET,
      `more than ${count} different ${of}: those beyond are recorded too, but cost more; ${advice}`,
    )
  }
}
