import { strict as assert } from 'node:assert'
import pino from 'pino'
import { orderMessage } from '../recording-tasks.mjs'

/** pino with a destination that discards. */
export async function loadPeer() {
  const destination = {
    lines: 0,
    last: '',
    write(line) {
      this.lines++
      this.last = line
    },
  }
  const log = pino({}, destination)
  let recorded = 0
  const tasks = [
    {
      id: 'pino.formatted',
      batch: 2_000,
      run(count) {
        for (let i = 0; i < count; i++) log.info('order %d placed by %s', 100_000 + i, 'grace hopper')
        recorded += count
      },
    },
    {
      id: 'pino.built',
      batch: 2_000,
      run(count) {
        for (let i = 0; i < count; i++) log.info(orderMessage(i))
        recorded += count
      },
    },
    {
      id: 'pino.static',
      batch: 2_000,
      run(count) {
        for (let i = 0; i < count; i++) log.info('connection accepted')
        recorded += count
      },
    },
  ]
  return {
    comparesWith: ['log.formatted', 'log.static.string'],
    tasks,
    prove() {
      assert.equal(destination.lines, recorded)
      log.info('order %d placed by %s', 100_003, 'edsger w dij')
      assert.equal(JSON.parse(destination.last).msg, orderMessage(3))
    },
  }
}
