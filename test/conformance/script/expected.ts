import type { StreamKind } from '../../../src/model/event-sink.ts'

/**
 * An event as the servers should see it: a record without its id and time, nested records likewise, other members as
 * they are. Written by hand with the recording, so that it rests on none of our own readers.
 */
export interface ExpectedRecord {
  readonly type: string
  readonly [member: string]: unknown
}

/** The events of each stream, in order. */
export type ExpectedEvents = Readonly<Record<StreamKind, ExpectedRecord[]>>

export const UNICODE = 'é ü 世界 🦀 👩‍👩‍👧 \u202ertl \u007f \ufeff'
export const UNICODE_NAME = 'имя 🦀'
export const LONG: string = '0123456789abcdef'.repeat(12_000)
export const LONG_UNICODE: string = '€🦀'.repeat(30_000)
