import {
  asyncSpan,
  beginAsyncSpan,
  defineSpan,
  fmetric,
  imetric,
  Level,
  type Logger,
  logger,
  propertySet,
  recordImage,
  recordLog,
  span,
  spanFn,
} from '../../../src/index.ts'
import { HOSTILE_VALUES } from '../../tracing/support/hostile-values.ts'

export const METRIC_NAMES = 10_000
export const EMPTY_SPANS = 5_000
export const MESSAGE_BYTES = 10 * 1024 * 1024
/** NUL, lone surrogates, an override of the writing direction. */
export const ODD_TEXT = 'nul \0 lone \ud83e and \udd80 \u202e'

const log = logger('hostile')
const TEN_MEGABYTES = 'x'.repeat(MESSAGE_BYTES)

/** Records what no program should. Whatever a recording call throws comes out of here. */
export async function recordHostileSession(): Promise<void> {
  recordValues()
  recordNumbers()
  recordOverrides()
  recordLargeMessages()
  recordManyNames()
  recordOddTexts()
  recordFailingSpans()
  await recordFailingAsyncSpans()
  await recordMisusedSpans()
}

/** Every hostile value in every place that takes one. */
function recordValues(): void {
  for (const make of Object.values(HOSTILE_VALUES)) {
    const value = make() as never
    log.info`value ${value}`
    log.warn(value)
    log.error('with properties', value)
    log.debug('with a property', { value })
    recordLog(Level.Info, value, value, value)
    fmetric(value, value, { target: value }).record(value, value)
    imetric('integer', 'count').record(value, { value })
    span(value, () => beginAsyncSpan(value, { target: value }).end())
    recordImage(value, value, Uint8Array.of(1, 2, 3))
    recordImage('data', 'raw', value)
  }
}

function recordNumbers(): void {
  const integer = imetric('numbers.integer', 'count')
  const ticks = imetric('numbers.ticks', 'ticks')
  const float = fmetric('numbers.float', 'ms')
  for (const value of [-1, 0.5, 2 ** 53, 2 ** 64, -(2n ** 70n), 2n ** 64n - 1n, Number.NaN, Infinity]) {
    integer.record(value)
    integer.record(value, { tagged: 'yes' })
    ticks.record(value)
    float.record(value as number)
  }
}

/** Properties whose names are columns, with values that cost a block where they are taken for these. */
function recordOverrides(): void {
  for (const level of ['warn', 'WARN', 'info ', 'nothing', '']) {
    log.info('overrides', { level, target: 'elsewhere' })
    log.with({ level }).error`overrides ${level}`
    recordLog(Level.Warn, 'hostile', 'overrides', { level })
  }
  imetric('overrides', 'count').record(7, { name: 'n', unit: 'ticks', target: 't', level: 'warn' })
  fmetric('overrides', 'ms').record(7.5, propertySet({ name: 'n', unit: 'u', target: 't' }))
}

function recordLargeMessages(): void {
  log.info(TEN_MEGABYTES)
  log.info`${TEN_MEGABYTES} and ${TEN_MEGABYTES}`
  log.info('tagged', { large: TEN_MEGABYTES })
  log.error(new Error(TEN_MEGABYTES))
  log.warn('é🦀'.repeat(MESSAGE_BYTES / 6))
  recordLog(Level.Info, TEN_MEGABYTES, TEN_MEGABYTES)
}

function recordManyNames(): void {
  const loggers: Logger[] = []
  for (let i = 0; i < METRIC_NAMES; i++) {
    fmetric(`many.${i}`, 'count').record(i)
    log.debug(`built ${i}`)
    imetric('tagged', 'count').record(i, { request: String(i) })
    span(`many ${i}`, () => {})
    if (i % 10 === 0) loggers.push(logger(`many.${i}`))
  }
  for (const many of loggers) many.info('one of many targets')
}

function recordOddTexts(): void {
  logger(ODD_TEXT).info(ODD_TEXT, { [ODD_TEXT]: ODD_TEXT })
  recordLog(
    Level.Error,
    ODD_TEXT,
    ODD_TEXT,
    propertySet({ [ODD_TEXT]: ODD_TEXT, ['__proto__']: 'own', '': '' }),
  )
  fmetric(ODD_TEXT, ODD_TEXT, { target: ODD_TEXT }).record(1, { [ODD_TEXT]: ODD_TEXT })
  defineSpan(ODD_TEXT, { target: ODD_TEXT }).begin()
  defineSpan(ODD_TEXT, { target: ODD_TEXT }).end()
  recordImage(ODD_TEXT, ODD_TEXT, new Uint8Array())
}

function recordFailingSpans(): void {
  const failing = spanFn('failing', (depth: number): never => {
    if (depth > 0) failing(depth - 1)
    throw new Error('expected')
  })
  const attempt = (fn: () => unknown): void => {
    try {
      fn()
    } catch (error) {
      if (!(error instanceof Error) || error.message !== 'expected') throw error
    }
  }
  attempt(() => span('outer', () => attempt(() => failing(20))))
  attempt(() => span('outer', () => failing(20)))
}

async function recordFailingAsyncSpans(): Promise<void> {
  const failures = await Promise.allSettled([
    asyncSpan('rejects', () => Promise.reject(new Error('expected'))),
    asyncSpan('throws', () => {
      throw new Error('expected')
    }),
    asyncSpan('rejects with nothing', () => Promise.reject()),
  ])
  if (failures.some(({ status }) => status === 'fulfilled')) throw new Error('a span swallowed an error')
  for (let i = 0; i < EMPTY_SPANS; i++) beginAsyncSpan('empty').end()
  await Promise.all(Array.from({ length: EMPTY_SPANS }, () => asyncSpan('empty', () => undefined)))
}

/** What the documentation says not to do. */
async function recordMisusedSpans(): Promise<void> {
  const [one, another] = [defineSpan('one'), defineSpan('another')]
  one.end()
  one.begin()
  another.begin()
  one.end()
  another.end()
  const acrossAwait = async (): Promise<void> => {
    one.begin()
    await new Promise((resolve) => setImmediate(resolve))
    one.end()
  }
  await Promise.all([acrossAwait(), acrossAwait()])
  await span('span of a promise', () => acrossAwait())
  for (let i = 0; i < 2_000; i++) another.begin() // never ended
  const twice = beginAsyncSpan('ended twice')
  twice.end()
  twice.end()
  beginAsyncSpan('never ended')
  await asyncSpan('the last', () => undefined)
}
