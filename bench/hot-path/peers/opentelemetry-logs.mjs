import { strict as assert } from 'node:assert'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { orderMessage } from '../recording-tasks.mjs'

/**
 * OpenTelemetry's log SDK with its batch processor and an exporter that discards. The queue is as large as a batch of the
 * benchmark, and each batch ends with a flush: dropping records is cheaper than exporting them.
 */
export async function loadPeer() {
  let exported = 0
  let last
  const exporter = {
    export(records, done) {
      exported += records.length
      last = records.at(-1)
      done({ code: 0 })
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  }
  const batch = 2_048
  const processor = new BatchLogRecordProcessor({ exporter, maxQueueSize: batch, maxExportBatchSize: 512 })
  const log = new LoggerProvider({ processors: [processor] }).getLogger('bench')
  let recorded = 0
  const tasks = [
    {
      id: 'opentelemetry.log',
      async: true,
      batch,
      async run(count) {
        for (let i = 0; i < count; i++) {
          log.emit({ severityNumber: SeverityNumber.INFO, severityText: 'INFO', body: orderMessage(i) })
        }
        await processor.forceFlush()
        recorded += count
      },
    },
  ]
  return {
    comparesWith: ['log.formatted'],
    tasks,
    prove() {
      assert.equal(exported, recorded)
      assert.equal(last.body, orderMessage(batch - 1))
    },
  }
}
