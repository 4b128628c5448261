/**
 * A small orders service, instrumented the way a user would. It is configured by environment alone:
 *
 *   MICROMEGAS_TELEMETRY_URL, MICROMEGAS_INGESTION_API_KEY   where telemetry goes, and the key for it
 *   MICROMEGAS_ENABLE_CPU_TRACING=true                       record spans
 *   PORT                                                     where the service listens, 8000 unless set
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { asyncSpan, fmetric, imetric, logger, micromegasMain, propertySet, span } from 'micromegas'
import { type Order, OrderStore, OutOfStockError } from './store.ts'

const log = logger('shop.http')
const latency = fmetric('request_latency', 'ms', { target: 'shop.http' })
const placed = imetric('orders_placed', 'count', { target: 'shop.http' })
/** Property sets that come again and again are made once. */
const SUCCESS = propertySet({ outcome: 'success' })
const FAILURE = propertySet({ outcome: 'failure' })

const store = new OrderStore()

async function readOrder(request: IncomingMessage): Promise<{ sku: string; quantity: number }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  // Synchronous work is a thread span: it cannot be interrupted.
  return span('parse order', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
    return { sku: String(body.sku), quantity: Number(body.quantity ?? 1) }
  })
}

async function handle(request: IncomingMessage): Promise<Order | undefined> {
  if (request.method === 'POST' && request.url === '/orders') {
    const { sku, quantity } = await readOrder(request)
    const order = await store.insert(sku, quantity)
    placed.record(quantity, propertySet({ sku }))
    log.info`order ${order.id}: ${quantity} × ${sku}`
    return order
  }
  const id = /^\/orders\/(\d+)$/.exec(request.url ?? '')?.[1]
  return id === undefined ? undefined : store.find(Number(id))
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const start = performance.now()
  try {
    const order = await asyncSpan(`${request.method} /orders`, () => handle(request))
    response.writeHead(order === undefined ? 404 : 200).end(JSON.stringify(order))
    latency.record(performance.now() - start, SUCCESS)
  } catch (error) {
    if (error instanceof OutOfStockError) log.warn('order refused', { reason: error.message })
    else log.error('request failed', error, { method: request.method, url: request.url })
    response.writeHead(error instanceof OutOfStockError ? 409 : 500).end()
    latency.record(performance.now() - start, FAILURE)
  }
}

await micromegasMain(
  async ({ signal }) => {
    const server = createServer((request, response) => void serve(request, response))
    server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1')
    await once(server, 'listening')
    log.info`listening on ${JSON.stringify(server.address())}`
    process.send?.(server.address())
    signal.addEventListener('abort', () => server.close())
    await once(server, 'close')
    log.info('closed')
  },
  { localSinkMaxLevel: 'info' },
)
