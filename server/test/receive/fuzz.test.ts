import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storedFrame } from '../../../src/telemetry/lz4/lz4-frame.ts'
import { MUTATION_SCALE } from '../../../test/support/mutation-scale.ts'
import { bytes, head, int, map, text } from '../../../test/telemetry/cbor-bytes.ts'
import { LOG_BLOCK_CBOR, LOG_STREAM, PROCESS_CBOR } from '../../../test/telemetry/worked-examples.ts'
import { insert, post, type Route, send, startServer, type TestServer } from '../support/server.ts'
import { processBody, process as processInfo, spanBlock, stream, streamBody } from '../support/telemetry.ts'

const STREAM_CBOR = streamBody(LOG_STREAM)
const SAMPLES: readonly (readonly [Route, Uint8Array])[] = [
  ['process', PROCESS_CBOR],
  ['stream', STREAM_CBOR],
  ['block', LOG_BLOCK_CBOR],
]
const READS = [
  'processes',
  'log_entries',
  'measures',
  'measures/summary',
  'spans',
  'images',
  'blocks',
  'problems',
  'stats',
]

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

/** Everything is answered in time, and nothing but the request was at fault. */
async function survives(): Promise<void> {
  await server.idle()
  for (const path of READS) {
    const answer = await send(server.url, `/api/${path}`)
    expect([path, answer.status]).toEqual([path, 200])
    JSON.parse(answer.text)
  }
  const faults = server.events.filter((event) => event.type === 'refused' && event.status === 500)
  for (const fault of faults)
    expect(fault).toMatchObject({ reason: expect.stringContaining('database refuses') })
  expect(server.reasons().filter((reason) => reason.startsWith('cannot check'))).toEqual([])
}

test('any bytes are answered with 200, 400 or the 500 of the database', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Route>('process', 'stream', 'block'),
      fc.uint8Array({ maxLength: 300 }),
      async (route, body) => {
        expect([200, 400, 500]).toContain((await post(server, route, body)).status)
      },
    ),
    { numRuns: 300 * MUTATION_SCALE },
  )
  await survives()
})

test('requests with changed, lost and repeated bytes neither crash the server nor make data unreadable', async () => {
  await insert(server, 'process', PROCESS_CBOR)
  await insert(server, 'stream', STREAM_CBOR)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...SAMPLES),
      fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'delete', 'insert', 'cut')), {
        minLength: 1,
        maxLength: 6,
      }),
      async ([route, sample], edits) => {
        let body = Buffer.from(sample)
        for (const [position, value, edit] of edits) {
          const at = position % Math.max(1, body.length)
          if (edit === 'set') body[at] = value
          else if (edit === 'cut') body = body.subarray(0, Math.max(at, 1))
          else
            body = Buffer.concat([
              body.subarray(0, at),
              Buffer.from(edit === 'insert' ? [value] : []),
              body.subarray(edit === 'delete' ? at + 1 : at),
            ])
        }
        expect([200, 400, 500]).toContain((await post(server, route, body)).status)
      },
    ),
    { numRuns: 500 * MUTATION_SCALE },
  )
  await survives()
})

test('well-formed blocks with corrupt sections are stored and never more than unreadable', async () => {
  const owner = processInfo()
  const cpu = stream(owner, 'cpu')
  await insert(server, 'process', processBody(owner))
  await insert(server, 'stream', streamBody(cpu))
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }),
      fc.uuid(),
      async (dependencies, objects, id) => {
        expect(
          (await post(server, 'block', rawBlock(id, cpu.streamId, owner.processId, dependencies, objects)))
            .status,
        ).toBe(200)
      },
    ),
    { numRuns: 300 * MUTATION_SCALE },
  )
  await survives()
})

describe('blocks made to use up memory', () => {
  test('with an LZ4 frame that swells to gigabytes are refused by size', async () => {
    await using own = await startServer()
    const owner = processInfo()
    const cpu = stream(owner, 'cpu')
    await insert(own, 'process', processBody(owner))
    await insert(own, 'stream', streamBody(cpu))
    const bomb = lz4Zeros(300)
    await insert(
      own,
      'block',
      rawBlock(
        '00000000-0000-4000-8000-0000000000b0',
        cpu.streamId,
        owner.processId,
        storedFrame(Buffer.alloc(0)),
        bomb,
        false,
      ),
    )
    await own.idle()
    expect(own.events.filter(({ type }) => type === 'undecodable')).toHaveLength(1)
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(300 * 1024 * 1024)
  })

  test('with millions of tiny events are refused by number', async () => {
    await using own = await startServer()
    const owner = processInfo()
    const tiny = {
      ...stream(owner, 'cpu'),
      objectsMetadata: [{ name: 'Tiny', size: 1, members: [], isReference: false }],
    }
    await insert(own, 'process', processBody(owner))
    await insert(own, 'stream', streamBody(tiny))
    await insert(
      own,
      'block',
      rawBlock(
        '00000000-0000-4000-8000-0000000000b1',
        tiny.streamId,
        owner.processId,
        Buffer.alloc(0),
        Buffer.alloc(4_000_000),
      ),
    )
    await own.idle()
    expect(own.reasons()[0]).toContain('more than 1000000 events')
    expect((await send(own.url, '/api/spans')).status).toBe(200)
  })

  test('that claim no events do not get around the budget of a query', async () => {
    await using own = await startServer()
    const owner = processInfo()
    const cpu = stream(owner, 'cpu')
    await insert(own, 'process', processBody(owner))
    await insert(own, 'stream', streamBody(cpu))
    for (let k = 0; k < 5; k++) {
      const events = Array.from(
        { length: 2_000 },
        (_, i) => [i % 2 === 0 ? 'begin' : 'end', 'work', k * 2_000 + i] as const,
      )
      await insert(own, 'block', spanBlock(owner, cpu, events, { eventCount: -5 }).body)
    }
    const { rows } = await own.reader.spans({ limit: 10_000 })
    expect(rows).toHaveLength(5_000)
  })
})

/** An `insert_block` body around two sections, put into stored frames unless they are frames already. */
function rawBlock(
  blockId: string,
  streamId: string,
  processId: string,
  dependencies: Uint8Array,
  objects: Uint8Array,
  areSections = true,
): Buffer {
  const frame = (section: Uint8Array): Uint8Array => (areSections ? storedFrame(section) : section)
  return map([
    ['block_id', text(blockId)],
    ['stream_id', text(streamId)],
    ['process_id', text(processId)],
    ['begin_time', text('2024-01-01T00:00:00Z')],
    ['begin_ticks', int(0)],
    ['end_time', text('2024-01-01T00:00:01Z')],
    ['end_ticks', int(1_000_000_000)],
    [
      'payload',
      map([
        ['dependencies', bytes(frame(dependencies))],
        ['objects', bytes(frame(objects))],
      ]),
    ],
    ['object_offset', head(0, 0)],
    ['nb_objects', int(1)],
  ])
}

/** An LZ4 frame of so many blocks of 4 MiB of zeros each, 16 kB a block. */
function lz4Zeros(blocks: number): Buffer {
  const size = 4 * 1024 * 1024
  // One literal, a match that repeats it, and five last literals as the format wants.
  const matchLength = size - 6
  const extra = matchLength - 4 - 15
  const block = Buffer.concat([
    Buffer.from([0x1f, 0, 1, 0]),
    Buffer.alloc(Math.floor(extra / 255), 255),
    Buffer.from([extra % 255]),
    Buffer.from([0x50, 0, 0, 0, 0, 0]),
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(block.length)
  return Buffer.concat([
    Buffer.from('04224d18607073', 'hex'),
    ...Array.from({ length: blocks }, () => Buffer.concat([length, block])),
    Buffer.alloc(4),
  ])
}
