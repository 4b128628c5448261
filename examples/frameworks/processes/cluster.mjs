import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { asyncSpan, logger, micromegasMain } from 'micromegas'

const log = logger('shop')
const WORKERS = 2

async function supervise(signal) {
  cluster.on('exit', ({ id }, code) => {
    log.warn('worker ended', { worker: id, code })
    if (!signal.aborted) cluster.fork()
  })
  for (let i = 0; i < WORKERS; i++) cluster.fork()
  if (!signal.aborted) await once(signal, 'abort')
  const workers = Object.values(cluster.workers)
  for (const worker of workers) worker.kill('SIGTERM')
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
}

async function serve(signal) {
  const server = createServer((request, response) =>
    asyncSpan(`${request.method}`, async () => {
      log.info`${request.method} ${request.url}`
      if (request.url === '/crash') setImmediate(() => Promise.reject(new Error('a bug')))
      response.end(`${process.pid}\n`)
    }),
  ).listen(Number(process.env.PORT ?? 8000))
  await once(server, 'listening')
  log.info('ready')
  if (!signal.aborted) await once(signal, 'abort')
  server.close()
  server.closeIdleConnections()
  await once(server, 'close')
  cluster.worker.disconnect()
}

await micromegasMain(({ signal }) => (cluster.isPrimary ? supervise(signal) : serve(signal)), {
  processProperties: { role: cluster.isPrimary ? 'primary' : 'worker' },
})
