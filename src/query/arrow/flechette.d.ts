/**
 * The parts of flechette that decode Arrow's metadata. Its own way to values is not used: it turns nanosecond times into
 * floating-point milliseconds and decodes each dictionary whole for every batch. The package has no `exports`, and its
 * version is pinned.
 */
declare module '@uwdata/flechette/src/util/read.js' {
  type Read<T> = (bytes: Uint8Array, offset: number) => T
  export function readObject(
    bytes: Uint8Array,
    offset: number,
  ): <T>(index: number, read: Read<T>, fallback: T) => T
  export const readInt16: Read<number>
  export const readInt64: Read<number>
  export const readOffset: Read<number>
  export const readUint8: Read<number>
}

declare module '@uwdata/flechette/src/decode/schema.js' {
  import type { Schema, Version_ } from '@uwdata/flechette'
  export function decodeSchema(bytes: Uint8Array, offset: number, version: Version_): Schema
}

declare module '@uwdata/flechette/src/decode/record-batch.js' {
  import type { RecordBatch, Version_ } from '@uwdata/flechette'
  export function decodeRecordBatch(bytes: Uint8Array, offset: number, version: Version_): RecordBatch
}

declare module '@uwdata/flechette/src/decode/dictionary-batch.js' {
  import type { DictionaryBatch, Version_ } from '@uwdata/flechette'
  export function decodeDictionaryBatch(bytes: Uint8Array, offset: number, version: Version_): DictionaryBatch
}
