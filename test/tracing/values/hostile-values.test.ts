import { describe, expect, test } from 'vitest'
import { Level } from '../../../src/model/level.ts'
import { recordImage } from '../../../src/tracing/image.ts'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { recordLog } from '../../../src/tracing/logs/record-log.ts'
import { fmetric, imetric } from '../../../src/tracing/metric.ts'
import { asyncSpan, beginAsyncSpan, defineSpan, span } from '../../../src/tracing/spans/span.ts'
import { type Properties, propertySet } from '../../../src/tracing/values/property-set.ts'
import { HOSTILE_VALUES } from '../support/hostile-values.ts'
import { startRecording } from '../support/recording.ts'

/** More than any text here should be, in UTF-16 code units, and less than the largest values given. */
const MAX_TEXT = 600_000

describe.each(Object.entries(HOSTILE_VALUES))('%s', (_, make) => {
  test('in a template costs no more than itself, at the first use of the call site and later', async () => {
    await using recording = startRecording()
    const log = logger('hostile')
    for (let i = 0; i < 3; i++) {
      log.info`one ${make()} value`
      log.info`two ${make()} and ${make()} values`
      log.info`three ${make()} and ${make()} and ${make()} values`
    }
    const messages = recording.messages()
    expect(messages.length).toBe(9)
    for (const [i, message] of messages.entries()) {
      expect(message.startsWith(['one', 'two', 'three'][i % 3]!)).toBe(true)
      expect(message.length).toBeLessThan(MAX_TEXT)
    }
  })

  test('as a message or beside one is rendered', async () => {
    await using recording = startRecording()
    const log = logger('hostile')
    log.info(make())
    log.info('before', make(), 'after')
    log.error('with error', new Error('e', { cause: make() }))
    log.with({ value: make() }).info('bound')
    log.with(make() as Properties).info('bound to')
    log.info('tagged', { value: make(), other: 'o' })
    const messages = recording.messages()
    expect(messages.length).toBe(6)
    expect(messages[1]!.startsWith('before')).toBe(true)
    expect(messages[2]!.startsWith('with error')).toBe(true)
    expect(recording.logs()[5]!.properties.other).toBe('o')
  })

  test('as interop level, target, message or properties leaves the block readable', async () => {
    await using recording = startRecording()
    recordLog(Level.Info, make() as string, 'odd target')
    recordLog(Level.Info, 'target', make() as string)
    recordLog(Level.Info, 'target', 'odd properties', make() as Properties)
    recordLog(Level.Info, 'target', 'odd property', { value: make() })
    recordLog(make() as Level, 'target', 'odd level')
    logger(make() as string).info('odd target')
    expect(recording.messages().filter((m) => m.startsWith('odd')).length).toBeGreaterThanOrEqual(4)
  })

  test('as name, unit, target, value or properties of a metric leaves the block readable', async () => {
    await using recording = startRecording()
    fmetric(make() as string, make() as string, { target: make() as string }).record(1)
    imetric(make() as string, 'count').record(1)
    fmetric('value', 'x').record(make() as number)
    imetric('value', 'x').record(make() as number)
    fmetric('tagged', 'x').record(2, make() as Properties)
    imetric('tagged', 'x').record(2, { value: make() })
    fmetric('tagged', 'x').record(2, propertySet(make() as Properties))
    const measures = recording.measures()
    expect(measures.filter(({ value }) => value === 1).length).toBe(2)
    expect(measures.filter(({ name, value }) => name === 'tagged' && value === 2).length).toBe(3)
  })

  test('as name or target of a span changes nothing for the measured function', async () => {
    await using recording = startRecording()
    const name = make() as string
    expect(span(name, () => 'sync')).toBe('sync')
    expect(await asyncSpan(name, async () => 'async')).toBe('async')
    expect(beginAsyncSpan(name, { target: make() as string }).run(() => 'handle')).toBe('handle')
    const definition = defineSpan(name, { target: make() as string })
    definition.begin()
    definition.end()
    expect(recording.threadEvents().length).toBe(4)
    expect(recording.asyncEvents().length).toBe(3)
  })

  test('as name, format or bytes of an image leaves the block readable', async () => {
    await using recording = startRecording()
    recordImage(make() as string, make() as string, Uint8Array.of(1, 2, 3))
    recordImage('image', 'png', make() as Uint8Array)
    expect(recording.images().length).toBe(1)
  })
})
