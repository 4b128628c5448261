import { defineSpan, fmetric, imetric, logger } from 'micromegas'

/**
 * What the program under test does: its values are made whether they are recorded or not, so that both runs of a
 * comparison do the same work. `record(count)` makes that many events, `idle(count)` the values alone.
 */

const log = logger('shop.checkout')
const latency = fmetric('checkout_latency', 'ms', { target: 'shop.checkout' })
const orders = imetric('orders', 'count', { target: 'shop.checkout' })
const price = defineSpan('price', { target: 'shop.checkout' })

const USERS = [
  'ada lovelace',
  'alan turing',
  'grace hopper',
  'edsger dijkstra',
  'barbara liskov',
  'donald knuth',
]
/** Latencies in microsecond steps, as services measure them: long mantissas would flatter nobody's compression. */
const LATENCIES = Float64Array.from({ length: 4096 }, (_, i) => {
  const noise = ((i * 2654435761) >>> 0) / 2 ** 32
  return Math.round(3000 - Math.log(1 - noise) * 4000) / 1000
})
let id = 0
/** Keeps the values alive where nothing else does. */
let sum = 0

const metrics = {
  record(count) {
    for (let i = 0; i < count; i++) latency.record(LATENCIES[++id & 4095])
  },
  idle(count) {
    for (let i = 0; i < count; i++) sum += LATENCIES[++id & 4095]
  },
}

const logs = {
  record(count) {
    for (let i = 0; i < count; i++) {
      id++
      log.info`order ${100_000 + (id % 900_000)} placed by ${USERS[id % 6]}`
    }
  },
  idle(count) {
    for (let i = 0; i < count; i++) {
      id++
      sum += 100_000 + (id % 900_000) + USERS[id % 6].length
    }
  },
}

/** Of ten events six are metrics, two are formatted logs, and two are a span's begin and end. */
const mixed = {
  record(count) {
    for (let i = 0; i < count; i += 10) {
      price.begin()
      metrics.record(5)
      logs.record(2)
      price.end()
      orders.record(id & 7)
    }
  },
  idle(count) {
    for (let i = 0; i < count; i += 10) {
      metrics.idle(5)
      logs.idle(2)
      sum += id & 7
    }
  },
}

/** Kinds of events, by the names of the command line. */
export const workloads = { metrics, logs, mixed }

export const keptAlive = () => sum
