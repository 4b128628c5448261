import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Level } from '../../src/model/level.ts'
import { pairAsyncSpans } from '../../src/telemetry/decode/async-spans.ts'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { recordImage } from '../../src/tracing/image.ts'
import { logger } from '../../src/tracing/logs/logger.ts'
import { recordLog } from '../../src/tracing/logs/record-log.ts'
import { fmetric, imetric } from '../../src/tracing/metric.ts'
import { type AsyncSpanHandle, beginAsyncSpan, defineSpan, span } from '../../src/tracing/spans/span.ts'
import { startRecording } from './support/recording.ts'

/** What a server should show of a script, kind by kind. */
interface Model {
  readonly logs: unknown[]
  readonly measures: unknown[]
  readonly images: unknown[]
  readonly thread: string[]
  readonly async: { name: string; depth: number }[]
  /** Async spans that are open, the innermost last. */
  readonly open: { handle: AsyncSpanHandle; name: string; depth: number }[]
}

/** Does one thing, and notes what should come of it. */
type Step = (model: Model) => void

/** As the wire has it: lone surrogates replaced. */
const wellFormed = (text: string) => Buffer.from(text).toString()

const text = fc.oneof(
  fc.constantFrom(
    '',
    'ready',
    'a'.repeat(63),
    'é'.repeat(64),
    'x'.repeat(600),
    'lone \ud800 surrogate',
    '\0',
  ),
  fc.string({ unit: 'binary', maxLength: 100 }),
)
const name = fc
  .oneof(fc.constantFrom('a', 'b', 'a.b'), fc.string({ unit: 'grapheme', maxLength: 20 }))
  .map(wellFormed)
const level = fc.constantFrom(Level.Fatal, Level.Error, Level.Warn, Level.Info, Level.Debug, Level.Trace)
const METHODS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
/** Names are well-formed, for two that differ in surrogates only become one. */
const properties = fc.dictionary(
  fc.oneof(fc.constantFrom('level', 'target', 'name', 'unit', '_name'), name),
  text,
  { maxKeys: 5 },
)
const shownProperties = (given: Record<string, string>) =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [key, wellFormed(value)]))

/** The names under which a metric's properties travel. */
function metricProperties(given: Record<string, string>): Record<string, string> {
  const taken = new Set(Object.keys(given))
  const entries = Object.entries(shownProperties(given)).map(([key, value]) => {
    if (!['name', 'unit', 'target'].includes(key)) return [key, value]
    let renamed = `_${key}`
    while (taken.has(renamed)) renamed = `_${renamed}`
    taken.add(renamed)
    return [renamed, value]
  })
  return Object.fromEntries(entries)
}

const value = fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.bigInt(), fc.constant(undefined))
const shownValue = (given: unknown) => wellFormed(String(given))

const logText: fc.Arbitrary<Step> = fc.tuple(level, name, text).map(([at, target, message]) => (model) => {
  logger(target)[METHODS[at - 1]!](message)
  model.logs.push({ level: at, target, msg: wellFormed(message), properties: {} })
})

const logTemplate: fc.Arbitrary<Step> = fc
  .tuple(level, name, value, value, value, fc.integer({ min: 0, max: 3 }))
  .map(([at, target, a, b, c, count]) => (model) => {
    const log = logger(target)[METHODS[at - 1]!]
    if (count === 0) log`no values`
    else if (count === 1) log`one ${a}`
    else if (count === 2) log`${a} and ${b}!`
    else log`${a}|${b}|${c}`
    const message = [
      'no values',
      `one ${shownValue(a)}`,
      `${shownValue(a)} and ${shownValue(b)}!`,
      `${shownValue(a)}|${shownValue(b)}|${shownValue(c)}`,
    ][count]!
    model.logs.push({ level: at, target, msg: message, properties: {} })
  })

const logTagged: fc.Arbitrary<Step> = fc
  .tuple(level, name, text, properties, fc.boolean())
  .map(([at, target, message, given, bound]) => (model) => {
    if (bound) logger(target).with(given)[METHODS[at - 1]!]`${message}`
    else logger(target)[METHODS[at - 1]!](message, given)
    model.logs.push({
      level: at,
      target,
      msg: wellFormed(message),
      properties: shownProperties(given),
    })
  })

const logInterop: fc.Arbitrary<Step> = fc
  .tuple(level, name, text, fc.option(properties, { nil: undefined }))
  .map(([at, target, message, given]) => (model) => {
    recordLog(at, target, message, given)
    model.logs.push({
      level: at,
      target,
      msg: wellFormed(message),
      properties: shownProperties(given ?? {}),
    })
  })

const measure: fc.Arbitrary<Step> = fc
  .tuple(
    name,
    fc.constantFrom('ms', 'count', 'ticks'),
    fc.oneof(fc.double(), fc.integer(), fc.maxSafeNat(), fc.bigInt()),
    fc.option(properties, { nil: undefined }),
    fc.boolean(),
  )
  .map(([metric, unit, given, tags, isFloat]) => (model) => {
    if (isFloat) fmetric(metric, unit).record(given as number, tags)
    else imetric(metric, unit).record(given, tags)
    if (isFloat && typeof given === 'bigint') return
    const number = Number(given)
    if (!Number.isFinite(number)) return
    // Whole numbers from 0 travel as integers, which have no negative zero.
    const shown = !isFloat && unit !== 'ticks' && Object.is(number, -0) ? 0 : number
    model.measures.push({
      name: metric,
      unit,
      target: 'app',
      value: shown,
      properties: metricProperties(tags ?? {}),
    })
  })

const syncSpan: fc.Arbitrary<Step> = fc
  .tuple(name, name, fc.boolean())
  .map(([outer, inner, throws]) => (model) => {
    try {
      span(outer, () => {
        span(inner, () => {})
        if (throws) throw new Error('inside')
      })
    } catch {}
    model.thread.push(`+${outer}`, `+${inner}`, `-${inner}`, `-${outer}`)
  })

const unbalanced: fc.Arbitrary<Step> = fc.constant((model) => {
  defineSpan('never begun').end()
  const [outer, inner] = [defineSpan('outer'), defineSpan('inner')]
  outer.begin()
  inner.begin()
  outer.end()
  inner.end()
  model.thread.push('+outer', '+inner', '-inner', '-outer')
})

const beginAsync: fc.Arbitrary<Step> = name.map((spanName) => (model) => {
  const parent = model.open.at(-1)
  const handle =
    parent === undefined ? beginAsyncSpan(spanName) : parent.handle.run(() => beginAsyncSpan(spanName))
  const opened = { handle, name: spanName, depth: parent === undefined ? 0 : parent.depth + 1 }
  model.open.push(opened)
  model.async.push({ name: spanName, depth: opened.depth })
})

const endAsync: fc.Arbitrary<Step> = fc.nat(5).map((which) => (model) => {
  const [ended] = model.open.splice(Math.max(0, model.open.length - 1 - which), 1)
  ended?.handle.end()
})

const image: fc.Arbitrary<Step> = fc
  .tuple(name, text, fc.uint8Array({ maxLength: 300 }))
  .map(([imageName, format, data]) => (model) => {
    recordImage(imageName, format, data)
    const shownFormat = wellFormed(format)
    if (format.length <= 255) model.images.push({ name: imageName, format: shownFormat, data: [...data] })
    else
      model.images.push({
        name: imageName,
        format: expect.stringMatching(/more characters\]$/),
        data: [...data],
      })
  })

const flood: fc.Arbitrary<Step> = fc.constant((model) => {
  for (let i = 0; i < 3000; i++) {
    logger('flood')
      .info`line ${i} of a text that is long enough to fill a block within a few of these floods: ${i}`
    const message = `line ${i} of a text that is long enough to fill a block within a few of these floods: ${i}`
    model.logs.push({ level: Level.Info, target: 'flood', msg: message, properties: {} })
  }
})

const seal: fc.Arbitrary<Step> = fc.constant(() => dispatch.seal())

const step = fc.oneof(
  ...[logText, logTemplate, logTagged, logInterop].map((arbitrary) => ({ arbitrary, weight: 4 })),
  { arbitrary: measure, weight: 8 },
  ...[syncSpan, unbalanced, beginAsync, endAsync].map((arbitrary) => ({ arbitrary, weight: 3 })),
  { arbitrary: image, weight: 2 },
  { arbitrary: seal, weight: 2 },
  { arbitrary: flood, weight: 1 },
)

test('any script of recordings reads back as what it recorded', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      await using recording = startRecording()
      const model: Model = { logs: [], measures: [], images: [], thread: [], async: [], open: [] }
      for (const run of steps) run(model)
      for (const { handle } of model.open) handle.end()
      const withoutTime = <T extends { timeNs: bigint }>({ timeNs: _, ...rest }: T) => rest
      expect(recording.logs().map(withoutTime)).toEqual(model.logs)
      expect(recording.measures().map(withoutTime)).toEqual(model.measures)
      expect(
        recording
          .images()
          .map(withoutTime)
          .map((i) => ({ ...i, data: [...i.data] })),
      ).toEqual(model.images)
      expect(recording.threadEvents()).toEqual(model.thread)
      const { spans, unmatched } = pairAsyncSpans(recording.asyncEvents())
      expect(unmatched).toEqual([])
      expect(spans.map(({ name: n, depth }) => ({ name: n, depth }))).toEqual(model.async)
    }),
    { numRuns: 150 },
  )
})
