import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder } from '../store/record-file.ts'

/** What other servers keep apart: the row of a block, and what it holds. */
export type BlockHalf = 'row' | 'payload'

export interface BlockHalvesOptions {
  /** Absolute path; made when it is needed. */
  readonly folder: string
  /** Most bytes that wait. */
  readonly maxBytes: number
  /** What is kept outlasts a power cut. */
  readonly fsync: boolean
  /** Whether a block is whole already: what a server that was killed left of it is deleted. */
  readonly isStored: (blockId: string) => boolean
}

/** The halves that wait would take more than they may. */
export class TooManyHalves extends Error {
  override readonly name: string = 'TooManyHalves'
}

/** Keeps halves of blocks on disk until the other one comes: rows and payloads are sent in any order, in calls of their own. */
export class BlockHalves {
  readonly #options: BlockHalvesOptions
  #opening: Promise<void> | undefined
  #bytes = 0

  constructor(options: BlockHalvesOptions) {
    this.#options = options
  }

  /** @returns The half that waits; `undefined` when it has not come. */
  async get(blockId: string, half: BlockHalf): Promise<Uint8Array | undefined> {
    await this.#open()
    try {
      return await readFile(this.#pathOf(blockId, half))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /**
   * Keeps a half; one that is there already stays.
   *
   * @throws {@link TooManyHalves}
   */
  async keep(blockId: string, half: BlockHalf, bytes: Uint8Array): Promise<void> {
    if ((await this.get(blockId, half)) !== undefined) return
    const { folder, maxBytes, fsync } = this.#options
    if (this.#bytes + bytes.length > maxBytes)
      throw new TooManyHalves(
        `${this.#bytes} bytes of blocks and payloads wait for their other half, and no more than ${maxBytes} may`,
      )
    this.#bytes += bytes.length
    const temp = join(folder, `${randomUUID()}.tmp`)
    try {
      const file = await open(temp, 'wx', 0o600)
      try {
        await file.writeFile(bytes)
        if (fsync) await file.sync()
      } finally {
        await file.close()
      }
      await rename(temp, this.#pathOf(blockId, half))
      if (fsync) await syncFolder(folder)
    } catch (error) {
      this.#bytes -= bytes.length
      await rm(temp, { force: true })
      throw error
    }
  }

  /** Deletes what waited of a block. */
  async drop(blockId: string): Promise<void> {
    await this.#open()
    for (const half of ['row', 'payload'] as const) await this.#remove(this.#pathOf(blockId, half))
  }

  #open(): Promise<void> {
    this.#opening ??= this.#load().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #load(): Promise<void> {
    const { folder, isStored } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o700 })
    this.#bytes = 0
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      const [, blockId] = /^([0-9a-f-]{36})\.(?:row|payload)$/.exec(name) ?? []
      if (blockId === undefined || isStored(blockId)) await rm(path, { force: true })
      else this.#bytes += (await stat(path)).size
    }
  }

  async #remove(path: string): Promise<void> {
    const found = await stat(path).catch(() => undefined)
    if (found === undefined) return
    await rm(path, { force: true })
    this.#bytes -= found.size
  }

  #pathOf(blockId: string, half: BlockHalf): string {
    return join(this.#options.folder, `${blockId}.${half}`)
  }
}
