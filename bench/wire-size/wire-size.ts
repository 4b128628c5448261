import { DiscardingServer } from '../pipeline/discarding-server.ts'
import { verifyRequests } from '../pipeline/verify-requests.ts'
import { runMeasured } from '../support/measured-process.ts'

export type Data = 'logs' | 'metrics' | 'spans'

export interface WireSize {
  readonly data: Data
  /** Events of one request; `block`: as many as the SDK puts into a block before it is full. */
  readonly batch: number | 'block'
  readonly events: number
  readonly requests: number
  /** Bytes of the requests' bodies per event, our CBOR envelope included. */
  readonly bytesPerEvent: number
  /** The same data as OTLP protobuf, as many events a request, with gzip and without. */
  readonly otlpBytesPerEvent: number
  readonly otlpUncompressedBytesPerEvent: number
}

/** Requests of the simulated service: enough to fill several blocks of each kind. */
const SIMULATED_REQUESTS = 60_000

/** Sends the same data by both protocols and counts the bytes. */
export async function measureWireSize(node: string, data: Data, batch: number | 'block'): Promise<WireSize> {
  await using server = await DiscardingServer.start(node)
  const ours = await runMeasured<{ events: number; blocks: number }>({
    script: 'wire-size/micromegas.mjs',
    args: [server.url, data, String(SIMULATED_REQUESTS), String(batch === 'block' ? 0 : batch)],
    node,
  })
  const { stats, kept } = await server.report()
  if (stats.blocks !== ours.blocks) {
    throw new Error(`${ours.blocks} blocks were sent, the server has got ${stats.blocks}`)
  }
  await verifyRequests(kept)
  const otlpBatch = batch === 'block' ? Math.ceil(ours.events / ours.blocks) : batch
  const otlp = await runMeasured<{ events: number; bytes: number; uncompressedBytes: number }>({
    script: 'wire-size/otlp.mjs',
    args: [data, String(SIMULATED_REQUESTS), String(otlpBatch)],
    node,
  })
  if (otlp.events !== ours.events) {
    throw new Error(`${ours.events} events were sent one way and ${otlp.events} the other`)
  }
  return {
    data,
    batch,
    events: ours.events,
    requests: ours.blocks,
    bytesPerEvent: stats.blockBytes / ours.events,
    otlpBytesPerEvent: otlp.bytes / otlp.events,
    otlpUncompressedBytesPerEvent: otlp.uncompressedBytes / otlp.events,
  }
}
