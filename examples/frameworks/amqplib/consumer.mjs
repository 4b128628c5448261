import { once } from 'node:events'
import amqp from 'amqplib'
import { continueTrace, logger, micromegasMain } from 'micromegas'

const log = logger('orders')

async function handle(message) {
  const { order } = JSON.parse(message.content.toString())
  const options = { target: 'orders', properties: { order } }
  await continueTrace(message.properties.headers, 'process orders', options, async () => {
    log.info`order ${order}`
    if (order % 5 === 0) throw new Error('no stock')
  })
}

await micromegasMain(async ({ signal }) => {
  const connection = await amqp.connect(process.env.AMQP_URL ?? 'amqp://127.0.0.1')
  const channel = await connection.createChannel()
  await channel.prefetch(4)
  await channel.assertQueue('orders')
  const running = new Set()
  const { consumerTag } = await channel.consume('orders', (message) => {
    if (message === null) return // the queue was deleted
    const done = handle(message)
      .then(
        () => channel.ack(message),
        () => channel.nack(message, false, false),
      )
      .finally(() => running.delete(done))
    running.add(done)
  })
  log.info('ready')
  if (!signal.aborted) await once(signal, 'abort')
  await channel.cancel(consumerTag)
  await Promise.all(running)
  await connection.close()
})
