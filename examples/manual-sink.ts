/** Wires the upload by hand: no wrapper, no environment. Run it beside `npx micromegas-server --disable-auth`. */
import { ApiKeyRequestDecorator, HttpEventSink, initTelemetry, logger } from 'micromegas'

const decorator = new ApiKeyRequestDecorator('mmk_an_api_key')
const sink = new HttpEventSink(
  'http://127.0.0.1:8081',
  {
    maxQueueBytes: 16 * 1024 * 1024,
    requestTimeoutMs: 5000,
    blocksRetry: { baseDelayMs: 200, maxDelayMs: 10_000 },
  },
  () => decorator,
)

await using telemetry = initTelemetry({ sinks: [{ sink, maxLevel: 'debug' }], cpuTracing: true })

const log = logger('manual')
log.info`process ${telemetry.processId} is up`
log.debug('uploaded, and not shown on the console')

const report = await telemetry.flush({ signal: AbortSignal.timeout(5000) })
console.log('blocks delivered:', report.delivered.blocks, 'still queued:', report.pending.blocks)
