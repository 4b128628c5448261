import { readdirSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TelemetryError } from 'micromegas/wire'
import { LOCK_FOLDER, lockDataDir } from './data-dir-lock.ts'
import {
  DamagedRecord,
  type RecordFacts,
  type RecordHeader,
  readHeaderSync,
  readRecord,
  syncFolder,
  writeRecord,
} from './record-file.ts'

/** Name of the file with the key that `--generate-key` makes. */
export const GENERATED_KEY_FILE = 'generated-api-key'

export type RecordKind = RecordHeader['kind']

/**
 * The files of a store, one for each item: `processes/<id>`, `streams/<id>` and `blocks/<first two digits>/<id>`. `tmp`
 * holds files being written and `damaged` those that were found unreadable.
 */
export class DataDir {
  readonly path: string
  readonly #durable: boolean
  readonly #unlock: (() => Promise<void>) | undefined
  /** Folders below `blocks` that are there. */
  readonly #shards = new Set<string>()

  private constructor(path: string, durable: boolean, unlock: (() => Promise<void>) | undefined) {
    this.path = path
    this.#durable = durable
    this.#unlock = unlock
  }

  /**
   * Makes the directory where it is missing, and holds it for this server.
   *
   * @param options.durable - What is written outlasts a power cut.
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when it cannot be used or another server holds it.
   */
  static async open(
    path: string,
    { durable, warn }: { readonly durable: boolean; readonly warn: (message: string) => void },
  ): Promise<DataDir> {
    try {
      await makeDataDir(path)
      for (const name of ['processes', 'streams', 'blocks', 'damaged']) {
        await mkdir(join(path, name), { recursive: true, mode: 0o700 })
      }
      if (durable) await syncFolder(path)
      const unlock = await lockDataDir(path)
      if (unlock === undefined) warn(`${path} cannot be locked: no other server may use it`)
      const dir = new DataDir(path, durable, unlock)
      await dir.#emptyTmp()
      return dir
    } catch (cause) {
      if (cause instanceof TelemetryError) throw cause
      const message = `Cannot use the data directory ${path}: ${reasonOf(cause)}`
      throw new TelemetryError('ERR_TELEMETRY_CONFIG', message, { cause })
    }
  }

  /** @returns Bytes of the file. */
  async write(facts: RecordFacts, body: Uint8Array): Promise<number> {
    const path = this.#pathOf(facts.kind, facts.id)
    const shard = facts.id.slice(0, 2)
    if (facts.kind === 'block' && !this.#shards.has(shard)) {
      await mkdir(join(this.path, 'blocks', shard), { recursive: true, mode: 0o700 })
      if (this.#durable) await syncFolder(join(this.path, 'blocks'))
      this.#shards.add(shard)
    }
    return writeRecord(path, join(this.path, 'tmp'), facts, body, this.#durable)
  }

  /**
   * @returns The body of an item; `undefined` when its file is gone.
   * @throws {@link DamagedRecord} when it is not the one that was written.
   */
  async read(kind: RecordKind, id: string): Promise<Uint8Array | undefined> {
    try {
      const { header, body } = await readRecord(this.#pathOf(kind, id))
      checkName(header, kind, id)
      return body
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /**
   * @throws {@link DamagedRecord} when the file is not what was written under this name.
   */
  readHeader(kind: RecordKind, id: string): { readonly header: RecordHeader; readonly fileBytes: number } {
    const item = readHeaderSync(this.#pathOf(kind, id))
    checkName(item.header, kind, id)
    return item
  }

  async remove(kind: RecordKind, id: string): Promise<void> {
    await rm(this.#pathOf(kind, id), { force: true })
  }

  /** Moves an item's file to `damaged`. @returns Where it is now. */
  async setAside(kind: RecordKind, id: string): Promise<string> {
    const aside = join(this.path, 'damaged', `${kind}-${id}`)
    await rename(this.#pathOf(kind, id), aside)
    return aside
  }

  /** Kind and id of every file. Files with other names than ids are passed over. */
  *items(): Generator<{ readonly kind: RecordKind; readonly id: string }> {
    for (const id of this.#idsIn('processes')) yield { kind: 'process', id }
    for (const id of this.#idsIn('streams')) yield { kind: 'stream', id }
    for (const entry of readdirSync(join(this.path, 'blocks'), { withFileTypes: true })) {
      const shard = entry.name
      if (!/^[0-9a-f]{2}$/.test(shard) || entry.isFIFO() || entry.isFile() || entry.isSocket()) continue
      this.#shards.add(shard)
      for (const id of this.#idsIn('blocks', shard)) yield { kind: 'block', id }
    }
  }

  /** Writes a small file, as an insert would. */
  async probe(signal: AbortSignal): Promise<void> {
    await writeFile(join(this.path, 'tmp', 'ready'), 'ready', { signal })
  }

  /** Lets another server have the directory. */
  async close(): Promise<void> {
    await this.#unlock?.()
  }

  /** What a server that was killed did not finish. */
  async #emptyTmp(): Promise<void> {
    try {
      await rm(join(this.path, 'tmp'), { recursive: true, force: true })
      await mkdir(join(this.path, 'tmp'), { mode: 0o700 })
    } catch (error) {
      await this.close()
      throw error
    }
  }

  #idsIn(...names: string[]): string[] {
    return readdirSync(join(this.path, ...names)).filter((name) => UUID.test(name))
  }

  #pathOf(kind: RecordKind, id: string): string {
    // Ids come from requests: nothing but a UUID may become a part of a path.
    if (!UUID.test(id)) throw new TypeError('an id must be a UUID in lower case')
    if (kind === 'process') return join(this.path, 'processes', id)
    return kind === 'stream' ? join(this.path, 'streams', id) : join(this.path, 'blocks', id.slice(0, 2), id)
  }
}

/** Everything that a server makes in its directory. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  'processes',
  'streams',
  'blocks',
  'damaged',
  'tmp',
  'tables',
  'halves',
  'server.sock', // of earlier versions
  LOCK_FOLDER,
  GENERATED_KEY_FILE,
])

/**
 * Makes a data directory that only its owner can look into, and keeps it out of version control: it is below the current
 * directory by default, and holds telemetry and perhaps a key. A directory that others keep things in stays as it is.
 */
export async function makeDataDir(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const names = await readdir(path)
  if (!names.every((name) => OWN_NAMES.has(name))) return
  await writeFile(join(path, '.gitignore'), '*\n', { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error // made by another start at the same time
  })
}

function checkName(header: RecordHeader, kind: RecordKind, id: string): void {
  if (header.kind === kind && header.id === id) return
  throw new DamagedRecord(`it holds the ${header.kind} ${header.id}`)
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
