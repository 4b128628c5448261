// Records what a server is tried with, and ends: node recorder.mjs KIND COUNT [PER_SECOND].
import { randomBytes } from 'node:crypto'
import { asyncSpan, fmetric, initTelemetry, logger, span } from 'micromegas'

const [kind, count, perSecond] = process.argv.slice(2)
const total = Number(count)
const telemetry = initTelemetry({ cpuTracing: true, localSinkEnabled: false, systemMetrics: false })
const EVENTS_PER_BLOCK = 5000

/** Records in blocks of 5,000 events, each delivered before the next. */
async function inBlocks(record) {
  for (let done = 0; done < total; ) {
    const end = Math.min(total, done + EVENTS_PER_BLOCK)
    for (; done < end; done++) record(done)
    await telemetry.flush()
  }
}

const log = logger('bench.server')
const kinds = {
  /** One in a hundred an error, one in a million with a rare word. */
  async logs() {
    await inBlocks((i) => {
      if (i % 100 === 99) log.error`order ${i} refused for ${i % 1000}`
      else if (i === total >> 1) log.info`order ${i} placed by a platypus`
      else log.info`order ${i} placed by ${i % 1000}`
    })
  },
  /** At an even pace. */
  async 'live-logs'() {
    const begin = performance.now()
    for (let done = 0; done < total; ) {
      const due = Math.min(total, Math.floor(((performance.now() - begin) / 1000) * Number(perSecond)))
      for (; done < due; done++) log.info`order ${done} placed by ${done % 100}`
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  },
  /** Each a block; sends when the server had answered each, in milliseconds since the Unix epoch. */
  async 'single-logs'() {
    const answered = []
    for (let i = 0; i < total; i++) {
      log.info`single ${i} of many`
      await telemetry.flush()
      answered.push(Date.now())
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
    process.send(answered)
  },
  /** Texts that nothing compresses. */
  async 'large-logs'() {
    await inBlocks(() => log.info(randomBytes(750).toString('base64')))
  },
  async measures() {
    const metrics = Array.from({ length: 20 }, (_, i) => fmetric(`bench.value_${i}`, 'ms'))
    await inBlocks((i) => metrics[i % 20].record((i * 7919) % 10007))
  },
  /** Ten at once, each with two children: 30 lanes. */
  async spans() {
    for (let i = 0; i < total; i += 30)
      await Promise.all(
        Array.from({ length: 10 }, (_, k) =>
          asyncSpan(`request ${k}`, async () => {
            await asyncSpan('query', async () => new Promise((resolve) => setImmediate(resolve)))
            await asyncSpan('render', async () => {})
          }),
        ),
      )
  },
  async 'thread-spans'() {
    const leaf = () => {}
    for (let i = 0; i < total; i += 10) {
      span('request', () => {
        for (let k = 0; k < 9; k++) span('step', leaf)
      })
      if (i % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  },
}
await kinds[kind]()
await telemetry.shutdown()
process.disconnect()
