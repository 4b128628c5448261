import type { ExpectedEvents } from './expected.ts'
import { recordImages } from './images.ts'
import { recordLogs } from './logs.ts'
import { recordMetrics } from './metrics.ts'
import { recordSpans } from './spans.ts'

/**
 * Records every event type this SDK writes, at the edges of its value ranges, and seals blocks in between. Telemetry
 * must have started, with every level and spans on.
 *
 * @returns What was recorded.
 */
export async function recordScript(): Promise<ExpectedEvents> {
  const expected: ExpectedEvents = { log: [], metrics: [], cpu: [], image: [] }
  recordLogs(expected.log)
  recordMetrics(expected.metrics)
  await recordSpans(expected.cpu)
  recordImages(expected.image)
  return expected
}
