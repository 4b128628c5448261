import { strict as assert } from 'node:assert'
import { InMemoryEventSink } from 'micromegas'

/**
 * Discards blocks as they are sealed, releases them as an upload does, and counts what is in them. To prove more it keeps them for a while, or the last one
 * of each kind, and reads them back.
 */
export class ProofSink {
  events = { log: 0, metrics: 0, cpu: 0, image: 0 }
  blocks = 0
  bytes = 0
  #process
  #kept
  #last = new Map()

  onStartup(process) {
    this.#process = process
  }

  onBlock(block) {
    const kind = block.stream.kind
    assert.equal(block.objectOffset, this.events[kind], `${kind} blocks follow one another without a gap`)
    this.events[kind] += block.eventCount
    this.blocks++
    this.bytes += block.objects.byteLength + block.dependencies.byteLength
    this.#last.get(kind)?.release?.()
    this.#last.set(kind, this.#kept === undefined ? block : { ...block, release: undefined })
    this.#kept?.onBlock(block)
  }

  async flush() {
    return {
      delivered: { blocks: 0, events: 0 },
      dropped: { blocks: 0, events: 0 },
      spooled: { blocks: 0, events: 0 },
      pending: { blocks: 0, events: 0 },
    }
  }

  shutdown() {
    return this.flush()
  }

  /** Keeps the blocks that are sealed while `record` runs, the flush after it included. */
  async keepDuring(record, telemetry) {
    await telemetry.flush()
    const memory = this.#memory()
    this.#kept = memory
    await record()
    await telemetry.flush()
    this.#kept = undefined
    return memory
  }

  /** Parses the last block of each kind: every event in it must be readable. */
  parseLastBlocks() {
    const log = this.#last.get('log')
    if (log !== undefined) assert.equal(this.#memory(log).logs().length, log.eventCount)
    const metrics = this.#last.get('metrics')
    if (metrics !== undefined) assert.equal(this.#memory(metrics).metrics().length, metrics.eventCount)
    const cpu = this.#last.get('cpu')
    if (cpu !== undefined) {
      const memory = this.#memory(cpu)
      assert.ok(memory.threadSpans().length + memory.asyncSpans().length > 0)
    }
  }

  #memory(...blocks) {
    const memory = new InMemoryEventSink()
    memory.onStartup(this.#process)
    for (const block of blocks) memory.onBlock(block)
    return memory
  }
}
