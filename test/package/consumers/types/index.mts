import {
  ApiKeyRequestDecorator,
  asyncSpan,
  type DeliveryReport,
  type EventSink,
  fmetric,
  HttpEventSink,
  imetric,
  initTelemetry,
  type LevelName,
  logger,
  type MicromegasMainOptions,
  micromegasMain,
  propertySet,
  type RequestDecorator,
  span,
  spanFn,
} from 'micromegas'
import { type Batch, FlightSQLClient, type QueryResult, type Row, sql } from 'micromegas/query'

const log = logger('types')
const level: LevelName = 'debug'
const options: MicromegasMainOptions = { interopMaxLevel: 'info', localSinkMaxLevel: level }

class Signing implements RequestDecorator {
  decorate(request: Parameters<RequestDecorator['decorate']>[0]): void {
    request.headers.set('x-signature', String(request.body.byteLength))
  }
}

class Cart {
  @spanFn
  price(): number {
    return 12
  }
}

export async function main(): Promise<void> {
  const sink: EventSink = new HttpEventSink(
    'http://localhost:9000',
    { maxQueueBytes: 1 << 20 },
    () => new Signing(),
  )
  const byKey = new HttpEventSink('http://localhost:9000', {}, () => new ApiKeyRequestDecorator('key'))
  const telemetry = initTelemetry({ sinks: [{ sink, maxLevel: 'debug' }, { sink: byKey }] })
  const EU = propertySet({ region: 'eu' })
  log.info`order ${1} placed by ${'bob'}`
  log.warn('slow', { region: 'eu' })
  fmetric('latency', 'ms').record(12.5, EU)
  imetric('orders', 'count').record(1)
  const price: number = span('price', () => new Cart().price())
  const charged: string = await asyncSpan('charge', async () => `charged ${price}`)
  const report: DeliveryReport = await telemetry.shutdown()
  log.info(`${charged} ${report.delivered.events}`)
  await micromegasMain(async ({ signal }) => (signal.aborted ? 1 : undefined), options)
}

export async function ask(): Promise<bigint | undefined> {
  await using client = new FlightSQLClient('grpc://localhost:50051', {
    authProvider: { getToken: async () => 'x' },
  })
  const result: QueryResult<Row> = await client.query(sql`select ${1} as one`)
  const batches: readonly Batch[] = result.batches
  for await (const { n } of client.queryRows<{ n: bigint }>('select 1 as n')) return n
  return batches.length > 0 ? 1n : undefined
}
