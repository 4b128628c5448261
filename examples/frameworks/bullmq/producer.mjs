import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { asyncSpan, micromegasMain, traceHeaders } from 'micromegas'

const redis = new Redis(Number(process.env.REDIS_PORT ?? 6379))

await micromegasMain(async () => {
  const queue = new Queue('orders', { connection: redis })
  for (let order = 1; order <= 10; order++) {
    await asyncSpan('publish order', { target: 'orders', properties: { order } }, () =>
      queue.add('order', { order, trace: traceHeaders() }),
    )
  }
  await queue.close()
  await redis.quit()
})
