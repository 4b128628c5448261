import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { asyncSpan, continueTrace, initTelemetry, logger, micromegasMain, traceHeaders } from 'micromegas'

const log = logger('thumbnails')

if (isMainThread) {
  await micromegasMain(async () => {
    await asyncSpan('upload', async () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { image: 7, trace: traceHeaders() } })
      const [size] = await once(worker, 'message')
      log.info`thumbnail of ${size} bytes`
      await once(worker, 'exit')
    })
  })
} else {
  // Telemetry of its own, under the process of the main thread.
  initTelemetry()
  await continueTrace(workerData.trace, 'resize', () => {
    log.info`resizing image ${workerData.image}`
    parentPort.postMessage(4096)
  })
}
