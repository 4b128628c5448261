import { expect, test } from 'vitest'
import { reportOverflows } from '../../src/main/ends/overflow-report.ts'
import { textBound } from '../../src/tracing/logs/log-sites.ts'
import { logger } from '../../src/tracing/logs/logger.ts'
import { fmetric, metricBound } from '../../src/tracing/metric.ts'
import { startRecording } from '../tracing/support/recording.ts'

test('a table that is full is told once, with its bound and what to do', async () => {
  await using recording = startRecording()
  const told = (): string[] =>
    recording
      .logs()
      .filter(({ target }) => target === 'micromegas')
      .map(({ msg }) => msg)
  reportOverflows()
  expect(told()).toEqual([])
  const log = logger('overflow')
  // Texts that come again: one that is ever new is seldom remembered.
  for (let i = 0; i <= textBound.max; i++) for (let time = 0; time < 2; time++) log.info(`order ${i}`)
  reportOverflows()
  reportOverflows()
  expect(told()).toEqual([
    'more than 4,096 different texts of logs: those beyond are recorded too, but cost more; ' +
      // biome-ignore lint/suspicious/noTemplateCurlyInString: shown as it would be written
      'record a text that changes by a template: log.info`order ${id}`, without parentheses',
  ])
  for (let i = 0; i <= metricBound.max; i++) fmetric(`latency of ${i}`, 'ms').record(i)
  reportOverflows()
  expect(told()).toHaveLength(2)
  expect(told()[1]).toContain('more than 8,192 different metrics: ')
  expect(recording.measures()).toHaveLength(metricBound.max + 1)
})
