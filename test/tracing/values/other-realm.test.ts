import { createContext, runInContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../../../src/model/event-sink.ts'
import { Level } from '../../../src/model/level.ts'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { recordLog } from '../../../src/tracing/logs/record-log.ts'
import { fmetric } from '../../../src/tracing/metric.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'
import { renderValue } from '../../../src/tracing/values/render-value.ts'
import { startRecording } from '../support/recording.ts'

/** As a test file of jest has it: built-in objects of its own. */
const realm = createContext({})

/** What a program makes here, and what it makes there. */
function bothOf(code: string): [here: unknown, there: unknown] {
  const here = new Function(`return (${code})`)() as unknown
  return [here, runInContext(`(${code})`, realm)]
}

/** The text without places, which differ. */
function shown(value: unknown): string {
  return renderValue(value, 10_000).replaceAll(/\n *at .*/g, '')
}

describe('a value of another realm', () => {
  test.each<[string, string]>([
    ['{ a: 1, b: "two", c: [true, null, undefined] }', '{"a":1,"b":"two","c":[true,null,undefined]}'],
    ['{ nested: { deep: { a: [1] } } }', '{"nested":{"deep":{"a":[1]}}}'],
    ['Object.assign(Object.create(null), { a: 1 })', '{"a":1}'],
    ['new Map([["a", new Map([[1, 2]])]])', 'Map[["a",Map[[1,2]]]]'],
    ['new Set(["a", { b: 1 }])', 'Set["a",{"b":1}]'],
    ['new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['[new Date(0), new Date(NaN)]', '[1970-01-01T00:00:00.000Z,Invalid Date]'],
    ['new Uint8Array(3)', '[Uint8Array of 3 bytes]'],
    ['new Float64Array(3)', '[Float64Array of 24 bytes]'],
    ['new DataView(new ArrayBuffer(3))', '[DataView of 3 bytes]'],
    ['new ArrayBuffer(3)', '[ArrayBuffer of 3 bytes]'],
    ['new SharedArrayBuffer(3)', '[ArrayBuffer of 3 bytes]'],
    ['/a+/g', '/a+/g'],
    ['Promise.resolve(1)', '[Promise]'],
    ['new (class Cart { items = 1 })()', '{"items":1}'],
    ['new (class Money { toString() { return "5 EUR" } })()', '5 EUR'],
    ['Object.create({ toString: () => "inherited" })', 'inherited'],
    ['new Number(5)', '5'],
    ['new String("text")', 'text'],
    ['Symbol("tag")', 'Symbol(tag)'],
    ['function named() {}', '[function named]'],
    ['{ error: new TypeError("boom") }', '{"error":TypeError: boom}'],
    ['new Error("outer", { cause: new TypeError("inner") })', 'Error: outer\ncaused by: TypeError: inner'],
    ['new Error("outer", { cause: { code: 7 } })', 'Error: outer\ncaused by: {"code":7}'],
    [
      'new AggregateError([new Error("a"), "b"], "all failed")',
      'AggregateError: all failed\n  error 1 of 2: Error: a\n  error 2 of 2: "b"',
    ],
  ])('made by %s is shown as any other', (code, expected) => {
    const [here, there] = bothOf(code)
    expect([shown(here), shown(there)]).toEqual([expected, expected])
  })

  test('that is an error is shown with its stack', () => {
    const error = runInContext('new Error("there")', realm, { filename: '/app/there.js' }) as Error
    expect(renderValue(error, 10_000)).toMatch(/^Error: there\n {4}at \/app\/there\.js:1/)
  })

  test('is text, properties or an error of an event as any other', async () => {
    const live: LogEntry[] = []
    await using recording = startRecording({ sinks: [{ sink: liveSink(live), maxLevel: Level.Trace }] })
    const log = logger('realm')
    const properties = runInContext('({ region: "eu", at: new Date(0) })', realm) as Record<string, unknown>
    const error = runInContext('new TypeError("there")', realm) as Error
    log.info('tagged', properties)
    log.info('tagged again', properties, error)
    log.with(properties).info`value ${properties}`
    log.error(error)
    recordLog(Level.Info, 'realm', 'interop', properties)
    fmetric('realm', 'ms').record(1, properties)
    const tags = { at: '1970-01-01T00:00:00.000Z', region: 'eu' }
    const expected = [
      ['tagged', tags],
      [`tagged again\n${error.stack}`, tags],
      ['value {"region":"eu","at":1970-01-01T00:00:00.000Z}', tags],
      [error.stack, {}],
      ['interop', tags],
    ]
    expect(recording.logs().map(({ msg, properties: found }) => [msg, found])).toEqual(expected)
    expect(live.map((entry) => [entry.msg, entry.properties ?? {}])).toEqual(expected)
    expect(recording.measures().map(({ properties: found }) => found)).toEqual([tags])
    expect(propertySet(properties).toJSON()).toEqual(tags)
  })
})

function liveSink(entries: LogEntry[]) {
  const nothing = { blocks: 0, events: 0 }
  const report = { delivered: nothing, dropped: nothing, spooled: nothing, pending: nothing }
  return {
    onStartup() {},
    onLog: (entry: LogEntry) => entries.push(entry),
    flush: () => Promise.resolve(report),
    shutdown: () => Promise.resolve(report),
  }
}
