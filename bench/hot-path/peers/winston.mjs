import { strict as assert } from 'node:assert'
import { Writable } from 'node:stream'
import winston from 'winston'
import { orderMessage } from '../recording-tasks.mjs'

/** winston with its default format and a stream that discards. */
export async function loadPeer() {
  let lines = 0
  let last = ''
  const stream = new Writable({
    decodeStrings: false,
    write(line, _encoding, done) {
      lines++
      last = line
      done()
    },
  })
  const log = winston.createLogger({ transports: [new winston.transports.Stream({ stream })] })
  let recorded = 0
  const tasks = [
    {
      id: 'winston.formatted',
      batch: 500,
      run(count) {
        for (let i = 0; i < count; i++) log.info(orderMessage(i))
        recorded += count
      },
    },
  ]
  return {
    comparesWith: ['log.formatted'],
    tasks,
    prove() {
      assert.equal(lines, recorded)
      log.info(orderMessage(3))
      assert.equal(JSON.parse(last).message, orderMessage(3))
    },
  }
}
