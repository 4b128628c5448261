import { devNull } from 'node:os'
import pino from 'pino'
import { inSteps, orderOf, sendCpu } from './work.mjs'

const destination = pino.destination({ dest: devNull, sync: false })
const log = pino({ name: 'shop' }, destination)
await inSteps((i) => {
  const [order, ms] = orderOf(i)
  log.info('order %d placed in %d ms', order, ms)
})
await new Promise((resolve, reject) => destination.flush((error) => (error ? reject(error) : resolve())))
sendCpu()
