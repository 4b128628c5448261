import { setTimeout as sleep } from 'node:timers/promises'
import { asyncSpan, imetric, logger } from 'micromegas'
import { recorded } from './telemetry.mjs'

const log = logger('orders')
const placed = imetric('orders', 'count')

export const handler = recorded(async (event) => {
  log.info`order ${event.order}`
  if (!(event.order > 0)) throw new RangeError('no such order')
  await asyncSpan('charge', () => sleep(event.chargeMs ?? 10))
  placed.record(1)
  return { order: event.order }
})
