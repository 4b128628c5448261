/**
 * Sends the traffic as Micromegas blocks: `micromegas.mjs url data requests batch`. A batch of 0 leaves it to the SDK when
 * a block is full.
 */
import { strict as assert } from 'node:assert'
import { DATA, isWhole, METRICS, SPANS, TARGETS, traffic } from './traffic.mjs'

// Events must be as far apart as in the traffic, for time stamps take part in the size: the clock is ours.
const startTicks = process.hrtime.bigint()
let elapsed = 0n
process.hrtime.bigint = () => startTicks + elapsed

const {
  beginAsyncSpan,
  defineSpan,
  fmetric,
  imetric,
  initTelemetry,
  InMemoryEventSink,
  logger,
  propertySet,
} = await import('micromegas')

const [url, data, requests, batch] = process.argv.slice(2)
const memory = new InMemoryEventSink({ maxBytes: 2 ** 30 })
const telemetry = initTelemetry({
  telemetryUrl: url,
  localSinkEnabled: false,
  systemMetrics: false,
  cpuTracing: true,
  flushPeriodSeconds: 86_400,
  sinks: [{ sink: memory, maxLevel: 'trace' }],
})
await telemetry.flush()

const loggers = Object.fromEntries(TARGETS.map((target) => [target, logger(target)]))
const metrics = Object.fromEntries(
  Object.entries(METRICS).map(([key, { name, unit, integer }]) => [
    key,
    (integer ? imetric : fmetric)(name, unit, { target: 'shop.http' }),
  ]),
)
const spans = Object.fromEntries(
  Object.entries(SPANS).map(([key, { name, target }]) => [key, defineSpan(name, { target })]),
)
/** Async spans that are open, outermost first. */
const open = []

const record = {
  log: ({ level, target, site, request }) => site(loggers[target][level], request),
  metric: ({ metric, value, route }) => metrics[metric].record(value, propertySet({ 'http.route': route })),
  begin({ span }) {
    if (!SPANS[span].async) return spans[span].begin()
    const begin = () => beginAsyncSpan(spans[span])
    open.push(open.length === 0 ? begin() : open.at(-1).run(begin))
  },
  end({ span }) {
    if (SPANS[span].async) open.pop().end()
    else spans[span].end()
  },
}

let events = 0
let first
for (const moment of traffic(Number(requests))) {
  if (!DATA[data].includes(moment.kind)) continue
  first ??= moment.at
  elapsed = BigInt(moment.at)
  record[moment.kind](moment)
  if (!isWhole(moment)) continue
  events++
  if (Number(batch) > 0 && events % Number(batch) === 0) await telemetry.flush()
}
const last = Number(elapsed)
await telemetry.shutdown({ timeoutMs: 60_000 })

assert.equal(telemetry.stats.upload.dropped.blocks, 0)
checkTimes(data === 'logs' ? memory.logs() : data === 'metrics' ? memory.metrics() : undefined)
process.send({ events, blocks: telemetry.stats.upload.delivered.blocks })

function byValue(a, b) {
  return Number(a - b)
}

/** The clock was ours indeed: the events are as far apart as they were made. */
function checkTimes(rows) {
  if (rows === undefined) {
    const ended = [...memory.asyncSpans(), ...memory.threadSpans()].map(({ endNs }) => endNs)
    const begun = [...memory.asyncSpans(), ...memory.threadSpans()].map(({ beginNs }) => beginNs)
    assert.equal(ended.length, events)
    assert.equal(Number(ended.toSorted(byValue).at(-1) - begun.toSorted(byValue)[0]), last - first)
    return
  }
  assert.equal(rows.length, events)
  assert.equal(Number(rows.at(-1).timeNs - rows[0].timeNs), last - first)
}
