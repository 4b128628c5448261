/**
 * What a small shop's service would record: requests that come at random, a hundred a second, one after the other. The
 * same sequence at every run.
 */

const NS_PER_MS = 1_000_000
const MEAN_GAP_MS = 10

const USERS = ['ada', 'alan', 'barbara', 'donald', 'edsger', 'grace', 'john', 'katherine', 'margaret', 'tim']
const SKUS = [
  'tea-earl-grey',
  'tea-sencha',
  'coffee-arabica',
  'mug-blue',
  'mug-white',
  'kettle-1l',
  'filter-4',
]
const ROUTES = ['GET /orders/:id', 'POST /orders', 'GET /stock/:sku', 'GET /health']

/** @param tag - A logger's method, or anything else that takes a template. */
const sites = {
  accepted: (tag, r) => tag`${r.method} ${r.path} from ${r.address} (request ${r.requestId})`,
  placed: (tag, r) => tag`order ${r.orderId} placed by ${r.user}: ${r.quantity} × ${r.sku}`,
  query: (tag, r) => tag`query returned ${r.rows} rows in ${r.queryMs} ms`,
  cacheMiss: (tag, r) => tag`cache miss for stock/${r.sku}`,
  slow: (tag, r) => tag`request ${r.requestId} took ${r.totalMs} ms, the limit is ${r.limitMs} ms`,
  refused: (tag, r) => tag`payment of order ${r.orderId} was refused: card ${r.card} is expired`,
  done: (tag, r) => tag`${r.method} ${r.path} ${r.status} in ${r.totalMs} ms`,
  healthy: (tag) => tag`health check passed`,
}

export const TARGETS = ['shop.http', 'shop.orders', 'shop.store', 'shop.payment']

export const METRICS = {
  duration: { name: 'http.server.request.duration', unit: 'ms', integer: false },
  requests: { name: 'http.server.requests', unit: 'count', integer: true },
  queryTime: { name: 'db.query.duration', unit: 'ms', integer: false },
  bodyBytes: { name: 'http.server.response.body.size', unit: 'bytes', integer: true },
  queue: { name: 'orders.queue.length', unit: 'count', integer: true },
}

export const SPANS = {
  request: { name: 'handle request', target: 'shop.http', async: true },
  parse: { name: 'parse body', target: 'shop.http', async: false },
  query: { name: 'select order', target: 'shop.store', async: true },
  render: { name: 'render answer', target: 'shop.http', async: false },
}

/** A generator of numbers from 0 to 1 (mulberry32). */
function randomNumbers(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Moments in order of time, `at` in nanoseconds from the start: a log (`site`, `level`, `target`, `request`), a metric
 * (`metric`, `value`, `route`), or the begin or end of a span (`span`).
 *
 * @param {number} requests
 */
export function* traffic(requests) {
  const random = randomNumbers(20_261_123)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const around = (ms) => Math.round(-Math.log(1 - random()) * ms * 1000) / 1000
  let at = 0
  /** Time passes; no two moments are closer than a microsecond. */
  const after = (ms) => {
    at += Math.max(1_000, Math.round(ms * NS_PER_MS + random() * 2_000))
    return at
  }
  for (let i = 0; i < requests; i++) {
    after(around(MEAN_GAP_MS))
    const route = pick(ROUTES)
    const request = makeRequest(i, route, { random, pick, around })
    const log = (level, target, site) => ({ kind: 'log', at: after(0.002), level, target, site, request })
    const metric = (name, value) => ({ kind: 'metric', at: after(0.002), metric: name, value, route })
    const span = (kind, name, ms) => ({ kind, at: after(ms), span: name })
    yield span('begin', 'request', 0.01)
    if (route === 'GET /health') {
      yield log('debug', 'shop.http', sites.healthy)
    } else {
      yield log('debug', 'shop.http', sites.accepted)
      yield span('begin', 'parse', 0.01)
      yield span('end', 'parse', around(0.05))
      if (random() < 0.2) yield log('debug', 'shop.store', sites.cacheMiss)
      yield span('begin', 'query', 0.01)
      yield span('end', 'query', request.queryMs)
      yield log('debug', 'shop.store', sites.query)
      yield metric('queryTime', request.queryMs)
      if (route === 'POST /orders') {
        yield random() < 0.03
          ? log('error', 'shop.payment', sites.refused)
          : log('info', 'shop.orders', sites.placed)
        yield metric('queue', Math.floor(around(20)))
      }
    }
    yield span('begin', 'render', 0.01)
    yield span('end', 'render', around(0.1))
    yield metric('duration', request.totalMs)
    yield metric('requests', 1)
    yield metric('bodyBytes', 120 + Math.floor(around(900)))
    if (request.totalMs > request.limitMs) yield log('warn', 'shop.http', sites.slow)
    yield log('info', 'shop.http', sites.done)
    yield span('end', 'request', 0.01)
  }
}

function makeRequest(i, route, { random, pick, around }) {
  const [method] = route.split(' ')
  const orderId = 48_000 + Math.floor(i / 4)
  const sku = pick(SKUS)
  const queryMs = around(1.5)
  const paths = {
    'GET /orders/:id': `/orders/${orderId}`,
    'POST /orders': '/orders',
    'GET /stock/:sku': `/stock/${sku}`,
  }
  return {
    method,
    path: paths[route] ?? '/health',
    address: `10.2.${Math.floor(random() * 4)}.${Math.floor(random() * 250)}`,
    requestId: Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
    orderId,
    user: pick(USERS),
    quantity: 1 + Math.floor(around(2)),
    sku,
    rows: Math.floor(around(6)),
    queryMs,
    totalMs: Math.round((queryMs + around(1)) * 1000) / 1000,
    limitMs: 8,
    card: `…${String(Math.floor(random() * 10_000)).padStart(4, '0')}`,
    status: random() < 0.98 ? 200 : 404,
  }
}

/** The kinds of moments that make one kind of data. */
export const DATA = { logs: ['log'], metrics: ['metric'], spans: ['begin', 'end'] }

/** How many of the moments are whole events: a span is one. */
export const isWhole = ({ kind }) => kind !== 'begin'
