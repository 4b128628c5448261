import { readFileSync } from 'node:fs'
import { decodeBlock, decodeProcess, decodeStream } from 'micromegas/wire'
import type { BlockFacts, BlockSource, Inventory, ItemFacts } from '../../src/tables/decode/block-source.ts'

/** Request bodies as they were recorded, in the order in which they were posted. */
export type Recording = readonly {
  readonly insert: 'process' | 'stream' | 'block'
  readonly body: Uint8Array
}[]

export function readRecording(name: string): Recording {
  const url = new URL(`./golden/${name}.json`, import.meta.url)
  const items = JSON.parse(readFileSync(url, 'utf8')) as { insert: 'process'; body: string }[]
  return items.map(({ insert, body }) => ({ insert, body: Buffer.from(body, 'base64') }))
}

/** A store in memory. */
export class MemorySource implements BlockSource {
  readonly #bodies = new Map<string, Uint8Array>()
  readonly #processes: ItemFacts[] = []
  readonly #streams: ItemFacts[] = []
  readonly #blocks: BlockFacts[] = []
  /** How often each body was read. */
  readonly reads = new Map<string, number>()

  constructor(recordings: readonly Recording[], insertTimeMs = Date.parse('2026-11-25T23:50:00Z')) {
    for (const { insert, body } of recordings.flat()) this.add(insert, body, insertTimeMs)
  }

  add(kind: 'process' | 'stream' | 'block', body: Uint8Array, insertTimeMs: number): string {
    if (kind === 'block') {
      const block = decodeBlock(body)
      const {
        blockId,
        streamId,
        beginTicks,
        endTicks,
        beginTimeMicros,
        endTimeMicros,
        objectOffset,
        eventCount,
      } = block
      this.#bodies.set(`block:${blockId}`, body)
      this.#blocks.push({
        blockId,
        streamId,
        beginTicks,
        endTicks,
        beginTimeMicros,
        endTimeMicros,
        objectOffset,
        eventCount,
        insertTimeMs,
      })
      return blockId
    }
    const id = kind === 'process' ? decodeProcess(body).processId : decodeStream(body).streamId
    this.#bodies.set(`${kind}:${id}`, body)
    const items = kind === 'process' ? this.#processes : this.#streams
    items.push({ id, insertTimeMs })
    return id
  }

  replace(kind: 'process' | 'stream' | 'block', id: string, body: Uint8Array): void {
    this.#bodies.set(`${kind}:${id}`, body)
  }

  inventory(): Promise<Inventory> {
    return Promise.resolve({ processes: this.#processes, streams: this.#streams, blocks: this.#blocks })
  }

  read(kind: 'process' | 'stream' | 'block', id: string): Promise<Uint8Array | undefined> {
    const key = `${kind}:${id}`
    this.reads.set(key, (this.reads.get(key) ?? 0) + 1)
    return Promise.resolve(this.#bodies.get(key))
  }
}
