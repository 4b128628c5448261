import { randomUUID } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import * as z from 'zod/mini'

/*
 * A stored item is one file: a header of one line, so that starting reads a few hundred bytes of each and a person can
 * look at it with `head -1`, then the request body exactly as it came. The line is JSON, a blank, and the CRC-32 of that
 * JSON as eight hexadecimal digits; format 1, which is still read, has no checksum of its header.
 */

/** ECMA-262, section 21.4.1.1: the last millisecond that a `Date` can hold. */
const MAX_DATE_MS = 8.64e15

const ticks = z.pipe(
  z.string().check(z.regex(/^-?\d{1,19}$/)),
  z.transform((text: string) => BigInt(text)),
)
// z.uuid() wants a version and a variant; the wire takes any 128 bits.
const uuid = z.string().check(z.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/))
const common = {
  format: z.literal([1, 2]),
  id: uuid,
  insert_time_ms: z.int().check(z.minimum(0), z.maximum(MAX_DATE_MS)),
  body_bytes: z.int().check(z.nonnegative()),
  crc32: z.int(),
}
const headerSchema: z.ZodMiniType<RecordHeader> = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('process') }),
  z.object({ ...common, kind: z.literal('stream'), process_id: uuid, tags: z.array(z.string()) }),
  z.object({
    ...common,
    kind: z.literal('block'),
    process_id: uuid,
    stream_id: uuid,
    begin_ticks: ticks,
    end_ticks: ticks,
    begin_time_us: ticks,
    end_time_us: ticks,
    object_offset: ticks,
    nb_objects: z.int(),
  }),
])

interface CommonHeader {
  readonly format: 1 | 2
  readonly id: string
  readonly insert_time_ms: number
  readonly body_bytes: number
  readonly crc32: number
}
interface ProcessHeader extends CommonHeader {
  readonly kind: 'process'
}
interface StreamHeader extends CommonHeader {
  readonly kind: 'stream'
  readonly process_id: string
  readonly tags: readonly string[]
}
interface BlockHeader extends CommonHeader {
  readonly kind: 'block'
  readonly process_id: string
  readonly stream_id: string
  readonly begin_ticks: bigint
  readonly end_ticks: bigint
  readonly begin_time_us: bigint
  readonly end_time_us: bigint
  readonly object_offset: bigint
  readonly nb_objects: number
}

export type RecordHeader = ProcessHeader | StreamHeader | BlockHeader
type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never
/** A header without what follows from the body. */
export type RecordFacts = DistributiveOmit<RecordHeader, 'format' | 'body_bytes' | 'crc32'>

/** A file that is not what was written: cut short, overwritten, of a later format, or no file at all. */
export class DamagedRecord extends Error {
  override readonly name: string = 'DamagedRecord'
}

/** Longest header; the longest that is written has about 500 bytes. */
const MAX_HEADER_BYTES = 4096
const NEWLINE = 0x0a
const NO_FILE = 'it is a folder, a FIFO or a device'
/** A FIFO with a name like an item's must not hold up whoever opens it: nobody may ever write into it. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/**
 * Writes an item so that the file is there whole or not at all: under another name first, then renamed.
 *
 * @param durable - It is on the disk once this resolves, and not only with the operating system.
 * @returns Bytes of the file.
 */
export async function writeRecord(
  path: string,
  tempDir: string,
  facts: RecordFacts,
  body: Uint8Array,
  durable: boolean,
): Promise<number> {
  const header = { format: 2, ...facts, body_bytes: body.length, crc32: crc32(body) }
  const line = JSON.stringify(header, (_key, value) => (typeof value === 'bigint' ? String(value) : value))
  const head = Buffer.from(`${line} ${checksum(line)}\n`)
  // It would be stored, answered with success, and found unreadable at the next start.
  if (head.length > MAX_HEADER_BYTES)
    throw new Error(`its header would have ${head.length} bytes, more than ${MAX_HEADER_BYTES}`)
  const temp = join(tempDir, randomUUID())
  let written = temp
  try {
    const file = await open(temp, 'wx', 0o600)
    try {
      const { bytesWritten } = await file.writev([head, body])
      // A disk that is nearly full takes a part; the rest says why.
      if (bytesWritten < head.length) await file.writeFile(Buffer.concat([head.subarray(bytesWritten), body]))
      else if (bytesWritten < head.length + body.length)
        await file.writeFile(body.subarray(bytesWritten - head.length))
      if (durable) await file.sync()
    } finally {
      await file.close()
    }
    await rename(temp, path)
    written = path
    if (durable) await syncFolder(dirname(path))
  } catch (error) {
    // What is not answered with success must not be found at the next start either.
    await rm(written, { force: true })
    throw error
  }
  return head.length + body.length
}

/** Makes the names in a folder outlast a power cut. Windows cannot open a folder; its file system keeps a journal of names. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * Reads an item.
 *
 * @throws {@link DamagedRecord} when the body is not the one that was written; `ENOENT` when the file is gone.
 */
export async function readRecord(
  path: string,
): Promise<{ readonly header: RecordHeader; readonly body: Uint8Array }> {
  const file = await open(path, READ_FLAGS)
  let bytes: Buffer
  try {
    if (!(await file.stat()).isFile()) throw new DamagedRecord(NO_FILE)
    bytes = await file.readFile()
  } finally {
    await file.close()
  }
  const { header, length } = parseHeader(bytes.subarray(0, MAX_HEADER_BYTES))
  const body = bytes.subarray(length)
  if (body.length !== header.body_bytes)
    throw new DamagedRecord(`${body.length} bytes instead of ${header.body_bytes}`)
  if (crc32(body) !== header.crc32) throw new DamagedRecord('its checksum does not match')
  return { header, body }
}

/**
 * Reads an item's header and checks the length of the file.
 *
 * @throws {@link DamagedRecord}
 */
export function readHeaderSync(path: string): { readonly header: RecordHeader; readonly fileBytes: number } {
  const file = openSync(path, READ_FLAGS)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new DamagedRecord(NO_FILE)
    const buffer = Buffer.allocUnsafe(MAX_HEADER_BYTES)
    const read = readSync(file, buffer, 0, MAX_HEADER_BYTES, 0)
    const { header, length } = parseHeader(buffer.subarray(0, read))
    if (stat.size !== length + header.body_bytes)
      throw new DamagedRecord(`${stat.size} bytes instead of ${length + header.body_bytes}`)
    return { header, fileBytes: stat.size }
  } finally {
    closeSync(file)
  }
}

function parseHeader(bytes: Uint8Array): { readonly header: RecordHeader; readonly length: number } {
  const end = bytes.indexOf(NEWLINE)
  if (end < 0) throw new DamagedRecord('it has no header line')
  const line = Buffer.from(bytes.subarray(0, end)).toString('utf8')
  const [, text = line, sum] = /^(.*\}) ([0-9a-f]{8})$/s.exec(line) ?? []
  if (sum !== undefined && sum !== checksum(text))
    throw new DamagedRecord('the checksum of its header does not match')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new DamagedRecord('its header is no JSON', { cause: error })
  }
  const header = headerSchema.safeParse(json)
  if (!header.success || (header.data.format === 1) !== (sum === undefined))
    throw new DamagedRecord('its header is not of this format', { cause: header.error })
  return { header: header.data, length: end + 1 }
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
