import { TelemetryError } from '../../model/errors.ts'
import type { StreamKind } from '../../model/event-sink.ts'
import { builtin } from '../../model/runtime/builtins.ts'

/** What a file of the spool holds: a block and all that a later process needs to deliver it. */
export interface SpoolRecord {
  readonly processId: string
  readonly streamId: string
  /** Bodies of the three insert requests. */
  readonly process: Uint8Array
  readonly stream: Uint8Array
  readonly block: Uint8Array
}

/** What the name of a file says. */
export interface SpoolName {
  readonly kind: StreamKind
  readonly events: number
  readonly blockId: string
}

const MAGIC = Buffer.from('MMSPOOL1')
const UUID_BYTES = 36
/** Magic, two ids as text, three lengths. */
const HEADER_BYTES = MAGIC.length + 2 * UUID_BYTES + 3 * 4
const CHECKSUM_BYTES = 4
const NAME = /^\d{16}-\d{6}-(log|metrics|cpu|image)-(\d{1,10})-([0-9a-f-]{36})\.block$/

let lastSerial = 0

/**
 * Names a file; names sort by the time they were made.
 *
 * @param wallMs - Milliseconds since the Unix epoch.
 */
export function spoolFileName({ kind, events, blockId }: SpoolName, wallMs: number): string {
  const time = String(Math.trunc(wallMs)).padStart(16, '0')
  const serial = String(lastSerial++ % 1_000_000).padStart(6, '0')
  return `${time}-${serial}-${kind}-${events}-${blockId}.block`
}

/** Reads a name made by {@link spoolFileName}; `undefined` for any other file. */
export function parseSpoolFileName(name: string): SpoolName | undefined {
  const [, kind, events, blockId] = NAME.exec(name) ?? []
  if (kind === undefined || events === undefined || blockId === undefined) return undefined
  return { kind: kind as StreamKind, events: Number(events), blockId }
}

/**
 * Lays out a file: magic, the ids of process and stream, the lengths of the three bodies, the bodies, and a CRC-32 of all
 * of it, so that a torn write shows. Integers are little-endian.
 */
export function encodeSpoolFile({ processId, streamId, process, stream, block }: SpoolRecord): Buffer {
  const bodies = [process, stream, block]
  const size = HEADER_BYTES + bodies.reduce((sum, body) => sum + body.byteLength, 0) + CHECKSUM_BYTES
  const file = Buffer.allocUnsafeSlow(size)
  let at = MAGIC.copy(file)
  for (const id of [processId, streamId]) at += file.write(id.padEnd(UUID_BYTES), at, UUID_BYTES, 'latin1')
  for (const body of bodies) at = file.writeUInt32LE(body.byteLength, at)
  for (const body of bodies) {
    file.set(body, at)
    at += body.byteLength
  }
  file.writeUInt32LE(builtin('node:zlib').crc32(file.subarray(0, at)), at)
  return file
}

/**
 * Reads a file; the bodies share its memory.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_FORMAT` when it is torn or corrupt.
 */
export function decodeSpoolFile(file: Buffer): SpoolRecord {
  const end = file.byteLength - CHECKSUM_BYTES
  if (end < HEADER_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC))
    throw corrupt('it is too short or no spool file')
  if (file.readUInt32LE(end) !== builtin('node:zlib').crc32(file.subarray(0, end)))
    throw corrupt('its checksum does not match')
  const idAt = (at: number): string => file.toString('latin1', at, at + UUID_BYTES).trim()
  const ids = MAGIC.length
  const lengths = HEADER_BYTES - 3 * 4
  const processEnd = HEADER_BYTES + file.readUInt32LE(lengths)
  const streamEnd = processEnd + file.readUInt32LE(lengths + 4)
  const blockEnd = streamEnd + file.readUInt32LE(lengths + 8)
  if (blockEnd !== end) throw corrupt('its lengths do not add up')
  return {
    processId: idAt(ids),
    streamId: idAt(ids + UUID_BYTES),
    process: file.subarray(HEADER_BYTES, processEnd),
    stream: file.subarray(processEnd, streamEnd),
    block: file.subarray(streamEnd, blockEnd),
  }
}

function corrupt(state: string): TelemetryError {
  return new TelemetryError('ERR_TELEMETRY_FORMAT', `Cannot read a spool file: ${state}`)
}
