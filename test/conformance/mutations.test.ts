import { isDeepStrictEqual } from 'node:util'
import { encode } from 'cborg'
import { beforeAll, expect, test } from 'vitest'
import { decodeBlock } from '../../src/telemetry/decode/decoder.ts'
import { decompressFrame, storedFrame } from '../../src/telemetry/lz4/lz4-frame.ts'
import { decodeHere } from './decode-here.ts'
import { type Decoded, type DecodingError, parseDecoded } from './decoded.ts'
import { mutate, seededRandom } from './mutation.ts'
import { parseRecording, type RecordedRequest, type Route, readFixture } from './recording.ts'
import { buildRust, decodeWithRust } from './rust.ts'

/** Mutants of each test; raise it, and choose another seed, for a longer run. */
const MUTANTS = Number(process.env.CONFORMANCE_MUTANTS ?? 2_000)
const SEED = Number(process.env.CONFORMANCE_SEED ?? 1)

/** Bodies whose mutants are quick to read; the longer ones hold long texts, not more kinds of records. */
const MAX_BODY_BYTES = 4_000

const random = seededRandom(SEED)
const recorded = [
  ...parseRecording(readFixture('rust-sdk.requests')),
  ...parseRecording(readFixture('node-sdk.requests')),
]
const streams = recorded.filter(({ path }) => path === 'insert_stream')

/** What our readers refuse although the crates read it, on purpose. */
const STRICTER_HERE = [
  // The crates take a byte string for a struct's key.
  /Cannot read key of [a-z]+: it must be text, it is bytes/,
  // An empty byte string passes for an empty array.
  /Cannot read [a-z_]+: it must be an array, it is bytes/,
  // A string dependency that says it is longer than its record: the crates read on into the next record.
  /\(StaticStringDependency\): Cannot read string: it needs/,
  // The LZ4 library copies from an offset of 0, which the format forbids.
  /Cannot read LZ4 block: a match reaches 0 bytes back/,
  // chrono takes white space and fewer digits in start_time.
  /Cannot read start_time: /,
]

beforeAll(buildRust)

test.each(['insert_process', 'insert_stream', 'insert_block'] as const)(
  'mutated bodies of %s are read or refused as the Rust crates do',
  async (path) => {
    const bodies = recorded.filter(
      ({ path: other, body }) => other === path && body.length < MAX_BODY_BYTES * 2,
    )
    const mutants = Array.from({ length: MUTANTS }, () => ({ path, body: mutate(pick(bodies).body, random) }))
    // No block follows a mutant of a stream: none is read by a layout that leads into endless recursion.
    await expectAgreement(path === 'insert_block' ? streams : [], mutants)
  },
)

test.each(['dependencies', 'objects'] as const)(
  'blocks whose %s are mutated are read or refused as the Rust crates do',
  async (section) => {
    const mutants = Array.from({ length: MUTANTS }, () =>
      withSection(pick(smallBlocks()), section, (frame) =>
        storedFrame(mutate(decompressFrame(frame), random)),
      ),
    )
    await expectAgreement(streams, mutants)
  },
)

test('blocks whose LZ4 frames are mutated are read or refused as the Rust crates do', async () => {
  const mutants = Array.from({ length: MUTANTS }, () =>
    withSection(pick(smallBlocks()), pick(['dependencies', 'objects'] as const), (frame) =>
      mutate(frame, random),
    ),
  )
  await expectAgreement(streams, mutants)
})

function pick<T>(items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!
}

function smallBlocks(): RecordedRequest[] {
  return recorded.filter(({ path, body }) => path === 'insert_block' && body.length < MAX_BODY_BYTES)
}

/** The block with one section of its payload replaced. */
function withSection(
  { body }: RecordedRequest,
  section: 'dependencies' | 'objects',
  replace: (frame: Uint8Array) => Uint8Array,
): RecordedRequest {
  const block = decodeBlock(body)
  const payload = { dependencies: block.dependencies, objects: block.objects }
  payload[section] = replace(payload[section])
  const item = {
    block_id: block.blockId,
    stream_id: block.streamId,
    process_id: block.processId,
    begin_time: '2026-01-01T00:00:00Z',
    begin_ticks: block.beginTicks,
    end_time: '2026-01-01T00:00:01Z',
    end_ticks: block.endTicks,
    payload,
    object_offset: block.objectOffset,
    nb_objects: block.eventCount,
  }
  return { path: 'insert_block', body: encode(item) }
}

async function expectAgreement(
  originals: readonly RecordedRequest[],
  mutants: readonly RecordedRequest[],
): Promise<void> {
  const requests = [...originals, ...mutants]
  const here = decodeHere(requests)
  const rust = parseDecoded(await decodeWithRust(requests))
  const refusedHere = byRequest(here.errors)
  const refusedThere = byRequest(rust.errors)
  const onlyThere = [...refusedThere].filter(([request]) => !refusedHere.has(request))
  expect(onlyThere).toEqual([])
  const onlyHere = [...refusedHere].filter(([request]) => !refusedThere.has(request))
  expect(onlyHere.filter(([, message]) => !STRICTER_HERE.some((reason) => reason.test(message)))).toEqual([])

  const stricter = new Set(onlyHere.map(([request]) => request))
  const rustLikeHere = leaveOut(rust, requests, refusedThere, stricter)
  for (const kind of ['processes', 'streams', 'blocks'] as const) {
    // Comparing for the report takes ten times as long.
    if (!isDeepStrictEqual(here[kind], rustLikeHere[kind]))
      expect(here[kind]).toStrictEqual(rustLikeHere[kind])
  }
  // Mutants that are all refused, or all read, would compare little.
  expect(refusedHere.size).toBeGreaterThan(mutants.length / 4)
  expect(refusedHere.size).toBeLessThan(mutants.length)
}

function byRequest(errors: readonly DecodingError[]): Map<number, string> {
  return new Map(errors.map(({ request, message }) => [request, message]))
}

/** What the crates read, without the requests that only they read. */
function leaveOut(
  rust: Decoded,
  requests: readonly RecordedRequest[],
  refused: ReadonlyMap<number, string>,
  leftOut: ReadonlySet<number>,
): Pick<Decoded, 'processes' | 'streams' | 'blocks'> {
  const isKept = (path: Route): boolean[] =>
    [...requests.entries()]
      .filter(([request, { path: other }]) => other === path && !refused.has(request))
      .map(([request]) => !leftOut.has(request))
  const [processes, streamsKept, blocks] = (['insert_process', 'insert_stream', 'insert_block'] as const).map(
    isKept,
  )
  return {
    processes: rust.processes.filter((_, i) => processes![i]),
    streams: rust.streams.filter((_, i) => streamsKept![i]),
    blocks: rust.blocks.filter((_, i) => blocks![i]),
  }
}
