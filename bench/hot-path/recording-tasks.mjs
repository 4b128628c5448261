import { strict as assert } from 'node:assert'
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  asyncSpan,
  beginAsyncSpan,
  defineSpan,
  fmetric,
  imetric,
  logger,
  propertySet,
  span,
} from 'micromegas'

/**
 * What is measured: every way of recording, through the public surface. Each task says what its events must look like
 * once they are read back from the blocks: `expected(count)` gives the rows of `count` operations, `rows(memory)` those
 * found.
 */

const BATCH = 20_000
let built = 0
const USERS = [
  'ada lovelace',
  'alan m turing',
  'grace hopper',
  'edsger w dij',
  'barbara lisk',
  'donald knuth',
]
const REGION = { region: 'eu-west-1', service: 'checkout' }
export const EU = propertySet(REGION)

const orders = imetric('orders', 'count')
const latency = fmetric('latency', 'ms')
export const log = logger('bench')
const tagged = logger('bench').with(EU)
const place = defineSpan('place')
const wait = defineSpan('wait')
function within(step) {
  const request = beginAsyncSpan(wait)
  request.run(step)
  request.end()
}
/** What that records besides. */
const ONE_SPAN = { kind: 'cpu', events: 2 }

const repeat = (count, row) => Array.from({ length: count }, (_, i) => row(i))
const values = (memory) =>
  memory.metrics().map(({ name, value, properties }) => ({ name, value, properties }))
const messages = (memory) => memory.logs().map(({ msg, properties }) => ({ msg, properties }))
const named = (memory) =>
  memory.logs().map(({ msg, properties }) => ({ msg, names: Object.keys(properties) }))
const SPAN_IDS = ['span_id', 'trace_id']
const threadSpans = (memory) => memory.threadSpans().map(({ name }) => name)
const asyncSpans = (memory) => memory.asyncSpans().map(({ name, depth }) => ({ name, depth }))

const asyncSpanProperties = (memory) =>
  memory.asyncSpans().map(({ name, properties }) => ({ name, properties }))

/** About 35 characters, as in the goal: `order 100000 placed by grace hopper`. */
export const orderMessage = (i) => `order ${100_000 + i} placed by ${USERS[i % 6]}`

export const metricTasks = [
  {
    id: 'metric.integer',
    kind: 'metrics',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) orders.record(i)
    },
    rows: values,
    expected: (count) => repeat(count, (i) => ({ name: 'orders', value: i, properties: {} })),
  },
  {
    id: 'metric.float',
    kind: 'metrics',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) latency.record(i * 0.25)
    },
    rows: values,
    expected: (count) => repeat(count, (i) => ({ name: 'latency', value: i * 0.25, properties: {} })),
  },
  {
    id: 'metric.integer.tagged',
    kind: 'metrics',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) orders.record(i, EU)
    },
    rows: values,
    expected: (count) => repeat(count, (i) => ({ name: 'orders', value: i, properties: REGION })),
  },
  {
    id: 'metric.float.tagged',
    kind: 'metrics',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) latency.record(i * 0.25, EU)
    },
    rows: values,
    expected: (count) => repeat(count, (i) => ({ name: 'latency', value: i * 0.25, properties: REGION })),
  },
]

const same = (msg, properties) => (count) => repeat(count, () => ({ msg, properties }))

/** One call site again and again. */
const repeatedLogTasks = [
  {
    id: 'log.static.template',
    kind: 'log',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) log.info`cache warmed`
    },
    rows: messages,
    expected: same('cache warmed', {}),
  },
  {
    id: 'log.static.string',
    kind: 'log',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) log.info('connection accepted')
    },
    rows: messages,
    expected: same('connection accepted', {}),
  },
  {
    id: 'log.tagged',
    kind: 'log',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) log.info('payment accepted', EU)
    },
    rows: messages,
    expected: same('payment accepted', REGION),
  },
  {
    id: 'log.bound.template',
    kind: 'log',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) tagged.info`stock reserved`
    },
    rows: messages,
    expected: same('stock reserved', REGION),
  },
  {
    id: 'log.bound.string',
    kind: 'log',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) tagged.info('stock released')
    },
    rows: messages,
    expected: same('stock released', REGION),
  },
  {
    id: 'log.within',
    kind: 'log',
    batch: BATCH,
    run(count) {
      within(() => {
        for (let i = 0; i < count; i++) log.info('stock counted')
      })
    },
    besides: ONE_SPAN,
    rows: named,
    expected: (count) => repeat(count, () => ({ msg: 'stock counted', names: SPAN_IDS })),
  },
  {
    id: 'log.within.formatted',
    kind: 'log',
    batch: 10_000,
    run(count) {
      within(() => {
        for (let i = 0; i < count; i++) log.info`order ${100_000 + i} shipped to ${USERS[i % 6]}`
      })
    },
    besides: ONE_SPAN,
    rows: named,
    expected: (count) =>
      repeat(count, (i) => ({ msg: orderMessage(i).replace('placed by', 'shipped to'), names: SPAN_IDS })),
  },
  {
    id: 'log.formatted',
    kind: 'log',
    batch: 10_000,
    run(count) {
      for (let i = 0; i < count; i++) log.info`order ${100_000 + i} placed by ${USERS[i % 6]}`
    },
    rows: messages,
    expected: (count) => repeat(count, (i) => ({ msg: orderMessage(i), properties: {} })),
  },
  {
    id: 'log.formatted.tagged',
    kind: 'log',
    batch: 5_000,
    run(count) {
      for (let i = 0; i < count; i++) tagged.info`order ${100_000 + i} placed by ${USERS[i % 6]}`
    },
    rows: messages,
    expected: (count) => repeat(count, (i) => ({ msg: orderMessage(i), properties: REGION })),
  },
  {
    id: 'log.built',
    kind: 'log',
    batch: 5_000,
    run(count) {
      for (let i = 0; i < count; i++) log.info(`order ${100_000 + i} placed by ${USERS[i % 6]} ${built++}`)
    },
    // None comes twice.
    rows: (memory) =>
      messages(memory).map(({ msg, properties }) => ({ msg: msg.replace(/ \d+$/, ''), properties })),
    expected: (count) => repeat(count, (i) => ({ msg: orderMessage(i), properties: {} })),
  },
]

const REQUEST = ['request accepted', 'payload parsed', 'stock reserved', 'answer sent']
const requestMessages = (properties) => (count) => repeat(count, (i) => ({ msg: REQUEST[i % 4], properties }))

/**
 * Four call sites in turn, as a service passes from one to the next: what an implementation keeps at hand of the last one
 * does not help.
 */
const turningLogTasks = [
  {
    id: 'log.turns.template',
    kind: 'log',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i += 4) {
        log.info`request accepted`
        log.info`payload parsed`
        log.info`stock reserved`
        log.info`answer sent`
      }
    },
    rows: messages,
    expected: requestMessages({}),
  },
  {
    id: 'log.turns.string',
    kind: 'log',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i += 4) {
        log.info('request accepted')
        log.info('payload parsed')
        log.info('stock reserved')
        log.info('answer sent')
      }
    },
    rows: messages,
    expected: requestMessages({}),
  },
  {
    id: 'log.turns.tagged',
    kind: 'log',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i += 4) {
        log.info('request accepted', EU)
        log.info('payload parsed', EU)
        log.info('stock reserved', EU)
        log.info('answer sent', EU)
      }
    },
    rows: messages,
    expected: requestMessages(REGION),
  },
]

export const logTasks = [...repeatedLogTasks, ...turningLogTasks]

/** What spans measure: a function that takes next to nothing and needs nothing of the loop that calls it. */
const steps = new Int32Array(1)
export const step = () => ++steps[0]

export const spanTasks = [
  {
    id: 'span.begin-end',
    kind: 'cpu',
    eventsPerOperation: 2,
    batch: BATCH / 2,
    run(count) {
      for (let i = 0; i < count; i++) {
        place.begin()
        place.end()
      }
    },
    rows: threadSpans,
    expected: (count) => repeat(count, () => 'place'),
  },
  {
    id: 'span.definition',
    kind: 'cpu',
    eventsPerOperation: 2,
    batch: BATCH / 2,
    run(count) {
      for (let i = 0; i < count; i++) span(place, step)
    },
    rows: threadSpans,
    expected: (count) => repeat(count, () => 'place'),
  },
  {
    id: 'span.name',
    kind: 'cpu',
    eventsPerOperation: 2,
    batch: BATCH / 2,
    run(count) {
      for (let i = 0; i < count; i += 4) {
        span('parse', step)
        span('price', step)
        span('reserve', step)
        span('render', step)
      }
    },
    rows: threadSpans,
    expected: (count) => repeat(count, (i) => ['parse', 'price', 'reserve', 'render'][i % 4]),
  },
]

const storage = new AsyncLocalStorage()
const store = { span: 1 }
export const asyncStep = async () => 1

/** The least that can run a function within a store and see it end. */
async function runAndWait(fn) {
  return await storage.run(store, fn)
}

/** Three, of which one differs from span to span. */
const spanProperties = (i) => ({ order: String(i), method: 'card', region: 'eu-west-1' })

const SPAN_SET = { properties: propertySet(spanProperties(0)) }

/** `als.*` and `await.*` record nothing: they are what an async span cannot do without, measured alone. */
export const asyncSpanTasks = [
  {
    id: 'als.run.async',
    async: true,
    batch: 5_000,
    async run(count) {
      for (let i = 0; i < count; i++) await storage.run(store, asyncStep)
    },
  },
  {
    id: 'als.run.wrapped',
    async: true,
    batch: 5_000,
    async run(count) {
      for (let i = 0; i < count; i++) await runAndWait(asyncStep)
    },
  },
  {
    id: 'als.run',
    batch: BATCH,
    run(count) {
      for (let i = 0; i < count; i++) storage.run(store, step)
    },
  },
  {
    id: 'await.function',
    async: true,
    batch: 5_000,
    async run(count) {
      for (let i = 0; i < count; i++) await asyncStep()
    },
  },
  {
    id: 'span.async',
    kind: 'cpu',
    eventsPerOperation: 2,
    async: true,
    batch: 5_000,
    async run(count) {
      for (let i = 0; i < count; i++) await asyncSpan(wait, asyncStep)
    },
    rows: asyncSpans,
    expected: (count) => repeat(count, () => ({ name: 'wait', depth: 0 })),
  },
  {
    id: 'span.async.set',
    kind: 'cpu',
    eventsPerOperation: 2,
    async: true,
    batch: 5_000,
    async run(count) {
      for (let i = 0; i < count; i++) await asyncSpan(wait, SPAN_SET, asyncStep)
    },
    rows: asyncSpanProperties,
    expected: (count) => repeat(count, () => ({ name: 'wait', properties: spanProperties(0) })),
  },
  {
    id: 'span.async.properties',
    kind: 'cpu',
    eventsPerOperation: 2,
    async: true,
    batch: 5_000,
    async run(count) {
      for (let i = 0; i < count; i++) {
        await asyncSpan(wait, { properties: spanProperties(i) }, asyncStep)
      }
    },
    rows: asyncSpanProperties,
    expected: (count) => repeat(count, (i) => ({ name: 'wait', properties: spanProperties(i) })),
  },
  {
    id: 'span.async.handle',
    kind: 'cpu',
    eventsPerOperation: 2,
    batch: 5_000,
    run(count) {
      for (let i = 0; i < count; i++) {
        const handle = beginAsyncSpan(wait)
        handle.run(step)
        handle.end()
      }
    },
    rows: asyncSpans,
    expected: (count) => repeat(count, () => ({ name: 'wait', depth: 0 })),
  },
]

/** Records a thousand operations of the task and compares what the blocks hold with what was recorded. */
export async function proveTask(task, sink, telemetry) {
  if (task.rows === undefined) return
  const count = 1000
  const memory = await sink.keepDuring(() => task.run(count), telemetry)
  assert.deepEqual(task.rows(memory), task.expected(count), `${task.id} records what it was given`)
}
