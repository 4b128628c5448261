import { once } from 'node:events'
import { UnrecoverableError, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { continueTrace, logger, micromegasMain } from 'micromegas'

const redis = new Redis(Number(process.env.REDIS_PORT ?? 6379), { maxRetriesPerRequest: null })
const log = logger('orders')

async function handle({ id, name, data }) {
  const properties = { 'messaging.message.id': id, order: data.order }
  await continueTrace(data.trace, `process ${name}`, { target: 'orders', properties }, async () => {
    log.info`order ${data.order}`
    if (data.order % 5 === 0) throw new UnrecoverableError('no stock')
  })
}

await micromegasMain(async ({ signal }) => {
  const worker = new Worker('orders', handle, { connection: redis, concurrency: 4 })
  worker.on('error', (error) => log.error('the worker cannot work', error))
  worker.on('failed', (job, error) => log.error('job failed', error, { order: job?.data.order }))
  await worker.waitUntilReady()
  log.info('ready')
  if (!signal.aborted) await once(signal, 'abort')
  await worker.close() // waits for the jobs that run
  await redis.quit()
})
