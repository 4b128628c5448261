import amqp from 'amqplib'
import { asyncSpan, micromegasMain, traceHeaders } from 'micromegas'

await micromegasMain(async () => {
  const connection = await amqp.connect(process.env.AMQP_URL ?? 'amqp://127.0.0.1')
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue('orders')
  for (let order = 1; order <= 10; order++) {
    await asyncSpan('publish orders', { target: 'orders', properties: { order } }, async () => {
      const body = Buffer.from(JSON.stringify({ order }))
      channel.sendToQueue('orders', body, { headers: traceHeaders() })
      await channel.waitForConfirms()
    })
  }
  await connection.close()
})
