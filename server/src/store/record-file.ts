import { randomUUID } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import * as z from 'zod/mini'

/*
 * A stored item is one file: a header of one JSON line, so that starting reads a few hundred bytes of each and a person
 * can look at it with `head -1`, then the request body exactly as it came.
 */

const ticks = z.pipe(
  z.string().check(z.regex(/^-?\d{1,19}$/)),
  z.transform((text: string) => BigInt(text)),
)
// z.uuid() wants a version and a variant; the wire takes any 128 bits.
const uuid = z.string().check(z.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/))
const common = {
  format: z.literal(1),
  id: uuid,
  insert_time_ms: z.int(),
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
  readonly format: 1
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

/** A file that is not what was written: cut short, overwritten, or of a later format. */
export class DamagedRecord extends Error {
  override readonly name: string = 'DamagedRecord'
}

/** Longest header; the longest that is written has about 500 bytes. */
const MAX_HEADER_BYTES = 4096
const NEWLINE = 0x0a

/**
 * Writes an item so that the file is there whole or not at all: under another name first, then renamed.
 *
 * @returns Bytes of the file.
 */
export async function writeRecord(
  path: string,
  tempDir: string,
  facts: RecordFacts,
  body: Uint8Array,
): Promise<number> {
  const header = { format: 1, ...facts, body_bytes: body.length, crc32: crc32(body) }
  const line = JSON.stringify(header, (_key, value) => (typeof value === 'bigint' ? String(value) : value))
  const head = Buffer.from(`${line}\n`)
  const temp = join(tempDir, randomUUID())
  try {
    const file = await open(temp, 'wx', 0o600)
    try {
      const { bytesWritten } = await file.writev([head, body])
      if (bytesWritten !== head.length + body.length)
        throw new Error('the disk took only a part of the bytes')
    } finally {
      await file.close()
    }
    await rename(temp, path)
  } catch (error) {
    await rm(temp, { force: true })
    throw error
  }
  return head.length + body.length
}

/**
 * Reads an item's body.
 *
 * @throws {@link DamagedRecord} when the body is not the one that was written; `ENOENT` when the file is gone.
 */
export async function readRecord(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path)
  const { header, length } = parseHeader(bytes.subarray(0, MAX_HEADER_BYTES))
  const body = bytes.subarray(length)
  if (body.length !== header.body_bytes)
    throw new DamagedRecord(`${body.length} bytes instead of ${header.body_bytes}`)
  if (crc32(body) !== header.crc32) throw new DamagedRecord('its checksum does not match')
  return body
}

/**
 * Reads an item's header and checks the length of the file.
 *
 * @throws {@link DamagedRecord}
 */
export function readHeaderSync(path: string): { readonly header: RecordHeader; readonly fileBytes: number } {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(MAX_HEADER_BYTES)
    const read = readSync(file, buffer, 0, MAX_HEADER_BYTES, 0)
    const { header, length } = parseHeader(buffer.subarray(0, read))
    const fileBytes = fstatSync(file).size
    if (fileBytes !== length + header.body_bytes) {
      throw new DamagedRecord(`${fileBytes} bytes instead of ${length + header.body_bytes}`)
    }
    return { header, fileBytes }
  } finally {
    closeSync(file)
  }
}

function parseHeader(bytes: Uint8Array): { readonly header: RecordHeader; readonly length: number } {
  const end = bytes.indexOf(NEWLINE)
  if (end < 0) throw new DamagedRecord('it has no header line')
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString('utf8'))
  } catch (error) {
    throw new DamagedRecord('its header is no JSON', { cause: error })
  }
  const header = headerSchema.safeParse(json)
  if (!header.success) throw new DamagedRecord('its header is not of this format', { cause: header.error })
  return { header: header.data, length: end + 1 }
}
