/**
 * The worst that callers and surroundings can do, over real HTTP: the server, which refuses what a Micromegas server's
 * database refuses, takes everything and can read all of it. Beside it a plain service sees the requests as they are:
 * the rows of `protocol.md` 1.4 and 11 that concern requests have a test each.
 */
import os from 'node:os'
import { Tokenizer } from 'cborg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startServer, type TestServer } from '../../server/test/support/server.ts'
import { HttpEventSink, initTelemetry, type TelemetryGuard } from '../../src/index.ts'
import { decodeBlock, decodeProcess } from '../../src/telemetry/decode/decoder.ts'
import { decompressFrame } from '../../src/telemetry/lz4/lz4-frame.ts'
import { expectWellFormedBlocks } from '../conformance/block-rules.ts'
import { decodeHere } from '../conformance/decode-here.ts'
import type { Decoded } from '../conformance/decoded.ts'
import type { RecordedRequest } from '../conformance/recording.ts'
import { type Service, startService } from '../sink/support/service.ts'
import { EMPTY_SPANS, METRIC_NAMES, ODD_TEXT, recordHostileSession } from './support/hostile-session.ts'
import { ReadApi } from './support/read-api.ts'

const LONG = `${'h'.repeat(200)}${'🦀'.repeat(100)}`
const warnings: string[] = []
let server: TestServer
let service: Service
let api: ReadApi
let telemetry: TelemetryGuard
let decoded: Decoded

beforeAll(async () => {
  server = await startServer()
  service = await startService()
  api = new ReadApi(server)
  // A machine of which nothing fits into its column.
  vi.spyOn(os, 'hostname').mockReturnValue(`\0${LONG}`)
  vi.spyOn(os, 'userInfo').mockReturnValue({ ...os.userInfo(), username: `\0${LONG}\ud800` })
  const { argv } = process
  process.argv = [argv[0]!, `/app/${'d'.repeat(300)}/\0main.js`]
  const warn = (message: string): void => void warnings.push(message)
  telemetry = initTelemetry({
    telemetryUrl: undefined,
    sinks: [
      { sink: new HttpEventSink(`${server.url}///`, { warn }) },
      { sink: new HttpEventSink(`  ${service.url}/base/  `, { warn }) },
    ],
    processProperties: {
      'nul \0 in the key': 'nul \0 in the value',
      'lone \ud83e': '\udd80',
      long: 'v'.repeat(100_000),
      ['__proto__']: 'own',
    },
    localSinkEnabled: false,
    systemMetrics: false,
    cpuTracing: true,
  })
  process.argv = argv
  vi.restoreAllMocks()
  await recordHostileSession()
  await telemetry.shutdown({ timeoutMs: 30_000 })
  await server.idle()
  decoded = decodeHere(recordedRequests())
}, 60_000)
afterAll(() => Promise.all([server.close(), service.close()]))

const ROUTES = ['process', 'stream', 'block'] as const

function recordedRequests(): RecordedRequest[] {
  return ROUTES.flatMap((route) =>
    service.of(route).map(({ body }) => ({ path: `insert_${route}` as const, body })),
  )
}

describe('the server', () => {
  test('takes every request and finds nothing wrong with any', async () => {
    expect(warnings).toEqual([])
    expect(server.events.filter(({ type }) => type !== 'stored')).toEqual([])
    expect(await api.problems()).toEqual([])
  })

  test('has everything that was recorded, and reads every block', async () => {
    const { recording } = telemetry.stats
    const recorded = Object.values(recording).reduce((sum, stream) => sum + stream.recorded, 0)
    const dropped = Object.values(recording).reduce((sum, stream) => sum + stream.dropped, 0)
    const [process] = await api.rows('processes')
    expect([dropped, process?.events]).toEqual([0, recorded])
    const blocks = await api.rows('blocks')
    expect(new Set(blocks.map(({ state }) => state))).toEqual(new Set(['readable']))
  })

  test('rebuilds the spans of every stream, whatever was begun, ended, thrown or forgotten', async () => {
    const { rows, problems } = await api.get('spans?limit=10000')
    expect(problems).toEqual([])
    expect(rows.length).toBeGreaterThan(1_000)
    const last = await api.rows(`spans?name=${encodeURIComponent('the last')}`)
    expect(last).toHaveLength(1)
  })

  test('has every metric under its own name, and every value that is a number', async () => {
    const { rows } = await api.get('measures/summary?name=many.*')
    expect(new Set(rows.map(({ name }: { name: string }) => name)).size).toBe(METRIC_NAMES)
    const integers = await api.rows('measures?name=numbers.integer&order=oldest')
    const values = [-1, 0.5, 2 ** 53, 2 ** 64, -(2 ** 70), 2 ** 64] // of two each: plain and tagged
    expect(integers.map(({ value }) => value)).toEqual(values.flatMap((value) => [value, value]))
    const ticks = await api.rows('measures?name=numbers.ticks&order=oldest')
    expect(ticks.map(({ value, unit }) => [value, unit])).toEqual(values.map((value) => [value, 'ticks']))
    expect(telemetry.stats.recording.metrics.invalid).toBeGreaterThan(6)
  })

  test('has no column replaced by a property', async () => {
    const logs = await api.rows('log_entries?search=overrides')
    expect(new Set(logs.map(({ level, target }) => `${level} ${target}`))).toEqual(
      new Set(['4 hostile', '2 hostile', '3 hostile']),
    )
    expect(logs.filter(({ properties }) => properties.level === 'warn')).toHaveLength(3)
    const measures = await api.rows('measures?name=overrides')
    expect(measures.map(({ unit, target, value }) => ({ unit, target, value }))).toEqual([
      { unit: 'ms', target: 'app', value: 7.5 },
      { unit: 'count', target: 'app', value: 7 },
    ])
    expect(measures[1]?.properties).toEqual({ _name: 'n', _unit: 'ticks', _target: 't', level: 'warn' })
  })

  test('shows messages of 10 MB cut, with a note of how much is missing', async () => {
    const cut = await api.rows(`log_entries?search=${encodeURIComponent('more characters]')}`)
    expect(cut.length).toBeGreaterThanOrEqual(5)
    for (const { msg } of cut) expect(msg.length).toBeLessThanOrEqual(262_144)
  })

  test('keeps NUL in events and has U+FFFD for lone surrogates, which no text can carry', async () => {
    const odd = ODD_TEXT.replaceAll(/\ud83e(?= )|\udd80/g, '\ufffd')
    const rows = await api.rows(`log_entries?target=${encodeURIComponent(odd)}&order=oldest`)
    expect(rows.map(({ msg, properties }) => [msg, properties])).toEqual([
      [odd, { [odd]: odd }],
      [
        odd,
        Object.fromEntries([
          [odd, odd],
          ['__proto__', 'own'],
          ['', ''],
        ]),
      ],
    ])
  })
})

describe('what producers get wrong', () => {
  const bodies = (): Buffer[] => recordedRequests().map(({ body }) => Buffer.from(body))

  test('CBOR floats for integers, tags, integer keys, indefinite lengths: none is in any request', () => {
    for (const body of bodies()) {
      const names = new Set<string>()
      const tokens = new Tokenizer(body, { strict: true, allowIndefinite: false })
      while (!tokens.done()) names.add(tokens.next().type.name)
      const known = ['map', 'array', 'string', 'bytes', 'uint', 'negint', 'null', 'true', 'false']
      expect([...names].filter((name) => !known.includes(name))).toEqual([])
    }
  })

  test('a missing parent_process_id: the key is there when there is no parent', () => {
    expect(decoded.processes[0]?.parentProcessId).toBeUndefined()
    expect(service.of('process')[0]?.body.includes('parent_process_id')).toBe(true)
  })

  test('a compressed body: none has an encoding', () => {
    for (const { headers } of service.requests) expect(headers['content-encoding']).toBeUndefined()
  })

  test('a trailing slash in the URL: every path has single slashes', () => {
    const paths = new Set(service.requests.map(({ url }) => url))
    expect(paths).toEqual(new Set(ROUTES.map((route) => `/base/ingestion/insert_${route}`)))
  })

  test('U+0000 and more than 255 characters in what the database keeps', () => {
    const process = decodeProcess(service.of('process')[0]!.body)
    expect(process.computer).toBe(`${'h'.repeat(200)}${'🦀'.repeat(55)}`)
    expect(process.username).toBe(`${'h'.repeat(200)}${'🦀'.repeat(55)}`)
    expect([...process.exe]).toHaveLength(255)
    expect(process.properties).toMatchObject({
      'nul  in the key': 'nul  in the value',
      'lone \ufffd': '\ufffd',
      long: 'v'.repeat(100_000),
    })
    expect(Object.getOwnPropertyDescriptor(process.properties, '__proto__')?.value).toBe('own')
    expect(JSON.stringify(process, (_, value) => (typeof value === 'bigint' ? '' : value))).not.toContain(
      '\\u0000',
    )
  })

  test('bytes that are no LZ4 frame, an empty one included, or more than one: each section is one frame', () => {
    for (const { body } of service.of('block')) {
      for (const frame of Object.values(sectionsOf(body))) {
        expect(frame.readUInt32LE(0)).toBe(0x184d2204)
        expect(decompressFrame(frame).length).toBeGreaterThanOrEqual(0)
        // Cut by a byte it is incomplete, so nothing comes after it.
        expect(() => decompressFrame(frame.subarray(0, -1))).toThrow()
      }
    }
    const images = decoded.streams.find(({ tags }) => tags.includes('image'))
    const block = service.of('block').find(({ body }) => decodeBlock(body).streamId === images?.streamId)
    expect(decompressFrame(sectionsOf(block!.body).dependencies)).toHaveLength(0)
  })

  test('members of types that readers do not know', () => {
    const members = decoded.streams.flatMap(({ dependenciesMetadata, objectsMetadata }) =>
      [...dependenciesMetadata, ...objectsMetadata].flatMap((type) => type.members),
    )
    expect(new Set(members.map(({ typeName }) => typeName))).toEqual(new Set(['u32', 'u64', 'i64', 'f64']))
  })

  test('wrong counts, offsets, chains and times of blocks, ids that come again: all of them fit', () => {
    expect(decoded.errors).toEqual([])
    expectWellFormedBlocks(decoded)
  })

  test('a tick frequency of 0, ticks without a base', () => {
    const [process] = decoded.processes
    expect(process?.tscFrequency).toBe(1_000_000_000n)
    for (const { beginTicks, endTicks } of decoded.blocks) {
      expect(beginTicks).toBeGreaterThanOrEqual(0n)
      expect(endTicks).toBeLessThan(120_000_000_000n) // two minutes after the start
    }
  })

  test('an async span that begins and ends on the same tick', async () => {
    const rows = await api.rows('spans?kind=async&name=empty')
    expect(rows).toHaveLength(2 * EMPTY_SPANS)
    expect(rows.filter(({ duration_ns }) => BigInt(duration_ns) <= 0n)).toEqual([])
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
  })

  test('a process and its streams that come after their blocks: they come first', () => {
    const first = (id: string): number => service.requests.findIndex((request) => request.id === id)
    const order = [decoded.processes[0]!.processId, ...decoded.streams.map(({ streamId }) => streamId)].map(
      first,
    )
    expect(order[0]).toBe(0)
    for (const { streamId, blockId } of decoded.blocks) expect(first(streamId)).toBeLessThan(first(blockId))
  })
})

function sectionsOf(body: Uint8Array): { readonly dependencies: Buffer; readonly objects: Buffer } {
  const { dependencies, objects } = decodeBlock(body)
  return { dependencies: Buffer.from(dependencies), objects: Buffer.from(objects) }
}
