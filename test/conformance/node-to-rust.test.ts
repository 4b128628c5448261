import { beforeAll, expect, test } from 'vitest'
import { expectWellFormedBlocks } from './block-rules.ts'
import { decodeHere } from './decode-here.ts'
import { type Decoded, parseDecoded } from './decoded.ts'
import { eventsByKind } from './event-shape.ts'
import { type Recording, recordHere } from './record-here.ts'
import type { RecordedRequest } from './recording.ts'
import { buildRust, decodeWithRust } from './rust.ts'

/** Two processes, eight streams: the second start of the same dispatch makes new ones. */
const PROCESS_IDS = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002']

const recordings: Recording[] = []
let requests: RecordedRequest[]
let rust: Decoded

beforeAll(async () => {
  await buildRust()
  for (const processId of PROCESS_IDS) recordings.push(await recordHere(processId))
  requests = recordings.flatMap((recording) => recording.requests)
  rust = parseDecoded(await decodeWithRust(requests))
})

test('the Rust crates read every request of this SDK', () => {
  expect(rust.errors).toEqual([])
  expect(rust.processes).toEqual(recordings.map((recording) => recording.process))
  for (const processId of PROCESS_IDS) {
    const streams = rust.streams.filter((stream) => stream.processId === processId)
    expect(streams.flatMap((stream) => stream.tags).sort()).toEqual(['cpu', 'cpu', 'image', 'log', 'metrics'])
  }
})

test('the Rust crates read every event as it was recorded, member by member', () => {
  for (const { process, expected } of recordings) {
    const events = eventsByKind(rust, process.processId)
    expect(events.log).toEqual(expected.log)
    expect(events.metrics).toEqual(expected.metrics)
    expect(events.cpu).toEqual(expected.cpu)
    expect(events.image).toEqual(expected.image)
  }
})

test('blocks are contiguous, counted exactly, and bracket the times of their events', () => {
  expectWellFormedBlocks(rust)
})

test('the readers of this package agree with the Rust crates on what this SDK sends', () => {
  expect(decodeHere(requests)).toEqual(rust)
})
