import { describe, expect, test } from 'vitest'
import { EMPTY_REPORT } from '../../src/model/delivery-report.ts'
import { Level } from '../../src/model/level.ts'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { logger } from '../../src/tracing/logs/logger.ts'
import { recordLog } from '../../src/tracing/logs/record-log.ts'
import { currentSpan } from '../../src/tracing/spans/open-span.ts'
import { asyncSpan } from '../../src/tracing/spans/span.ts'
import { propertySet, propertySetBound } from '../../src/tracing/values/property-set.ts'
import { type Recording, startRecording } from './support/recording.ts'

const log = logger('tags')

function propertiesOf(recording: Recording): unknown[] {
  return recording.logs().map(({ properties }) => properties)
}

function idsNow(): Record<string, string> {
  const { id, traceId } = currentSpan()!
  return { span_id: id, trace_id: traceId }
}

describe('a log within an async span', () => {
  test('says which, however it is written', async () => {
    await using recording = startRecording()
    const bound = log.with({ region: 'eu' })
    let ids: Record<string, string> = {}
    await asyncSpan('request', async () => {
      ids = idsNow()
      for (let i = 0; i < 2; i++) {
        log.info('text')
        log.info`template ${i}`
        log.info`two ${i} ${i}`
        log.info`three ${i} ${i} ${i}`
        log.info('set', propertySet({ n: 1 }))
        log.info('details', { n: 2 }, new Error('no'))
        log.error('urgent')
        bound.info('text')
        bound.info`template ${i}`
        recordLog(Level.Info, 'bridge', 'message', { n: 3 })
        recordLog(Level.Info, 'bridge', 'message')
      }
    })
    const region = { region: 'eu' }
    const round = [{}, {}, {}, {}, { n: '1' }, { n: '2' }, {}, region, region, { n: '3' }, {}]
    expect(propertiesOf(recording)).toEqual([...round, ...round].map((own) => ({ ...own, ...ids })))
  })

  test('says the innermost, and all of one trace have its id', async () => {
    await using recording = startRecording()
    await asyncSpan('outer', async () => {
      log.info('outer')
      await Promise.all([
        asyncSpan('a', async () => log.info('a')),
        asyncSpan('b', async () => log.info('b')),
      ])
    })
    const found = propertiesOf(recording) as Record<string, string>[]
    expect(new Set(found.map(({ span_id: id }) => id)).size).toBe(3)
    expect(new Set(found.map(({ trace_id: id }) => id)).size).toBe(1)
    const spans = recording.asyncEvents()
    expect(found.map(({ span_id: id }) => spans.find(({ spanId }) => String(spanId) === id)?.name)).toEqual([
      'outer',
      'a',
      'b',
    ])
  })

  test('keeps properties of those names that it has itself', async () => {
    await using recording = startRecording()
    await asyncSpan('request', async () => {
      log.info('mine', { span_id: 'mine', trace_id: 'mine' })
      log.info('half', { trace_id: 'mine' })
    })
    expect(propertiesOf(recording)).toEqual([
      { span_id: 'mine', trace_id: 'mine' },
      { trace_id: 'mine', span_id: expect.stringMatching(/^\d+$/) },
    ])
  })

  test('shows on the console what it was given and no more', async () => {
    const shown: unknown[] = []
    const sink = {
      onStartup: () => {},
      onLog: ({ properties }: { readonly properties: unknown }) => shown.push(properties),
      flush: async () => EMPTY_REPORT,
      shutdown: async () => EMPTY_REPORT,
    }
    await using recording = startRecording({ sinks: [{ sink, maxLevel: Level.Info }] })
    await asyncSpan('request', async () => {
      log.info('text')
      log.info('with', { n: 1 })
    })
    expect(shown).toEqual([undefined, { n: '1' }])
    expect(recording).toBeDefined()
  })
})

test('outside of spans, with spans off and with the option off, logs are as they were', async () => {
  {
    await using recording = startRecording()
    log.info('outside')
    expect(propertiesOf(recording)).toEqual([{}])
  }
  {
    await using recording = startRecording({ cpuTracing: false })
    await asyncSpan('request', async () => log.info('off'))
    expect(propertiesOf(recording)).toEqual([{}])
  }
  await using recording = startRecording({ logSpanIds: false })
  await asyncSpan('request', async () => {
    log.info('text')
    log.error('urgent', { n: 1 })
    recordLog(Level.Info, 'bridge', 'message')
  })
  expect(propertiesOf(recording)).toEqual([{}, { n: '1' }, {}])
})

test('spans that log leave nothing behind', async () => {
  await using recording = startRecording()
  const before = propertySetBound.overflows
  for (let i = 0; i < 5000; i++) await asyncSpan('request', async () => log.info('text'))
  expect(propertySetBound.overflows).toBe(before)
  expect(dispatch.log.stats.dropped).toBe(0)
  expect(recording.logs()).toHaveLength(5000)
})
