import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startServer } from '../../../server/src/index.ts'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { fmetric, imetric } from '../../../src/tracing/metric.ts'
import { asyncSpan, span } from '../../../src/tracing/spans/span.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'
import { startTelemetry } from '../../support/telemetry-service.ts'

const script = fileURLToPath(new URL('read_trace.py', import.meta.url))

type Facts = Readonly<Record<string, unknown>>

interface Instant {
  readonly name: string
  readonly target: string
  readonly begin: string
  readonly track: string
  readonly facts: Facts
  /** The slice that is open around it on its track. */
  readonly within?: string | null
}

interface Slice extends Instant {
  readonly place: readonly [file: string, line: number]
  readonly end: string
}

interface Trace {
  readonly slices: readonly Slice[]
  readonly instants: readonly Instant[]
  readonly values: readonly (readonly [track: string, unit: string, time: string, value: number])[]
  readonly arrows: readonly (readonly [from: string, fromNs: string, to: string, toNs: string])[]
  readonly faults: readonly string[]
}

/** A trace, read by Google's own classes. */
async function readTrace(chunks: readonly Uint8Array[]): Promise<Trace> {
  const interpreter = process.env.MICROMEGAS_TEST_PERFETTO_PYTHON
  if (interpreter === undefined) throw new Error('start these tests by npm run test:python')
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-trace-'))
  try {
    const file = join(folder, 'trace.pftrace')
    writeFileSync(file, Buffer.concat(chunks))
    const { stdout } = await promisify(execFile)(interpreter, [script, file], { maxBuffer: 2 ** 28 })
    return JSON.parse(stdout)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const textOf = (facts: unknown): string =>
  JSON.stringify(Object.entries((facts ?? {}) as Facts).sort(([a], [b]) => (a < b ? -1 : 1)))
const spanText = (span: Omit<Slice, 'track'>): string =>
  [span.begin, span.end, span.target, span.name, span.place.join(':'), textOf(span.facts)].join(' ')

test('every span, log, property, value and arrow of a trace comes back, exact to the nanosecond', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const beginNs = BigInt(Date.now()) * 1_000_000n - 1_000_000_000n
  const telemetry = startTelemetry(server.url)
  const log = logger('shop')
  const latency = fmetric('latency', 'ms', { target: 'shop' })
  const bytes = imetric('sent', 'bytes', { target: 'shop' })
  const routes = [0, 1, 2].map((i) => propertySet({ route: `/${i}`, method: 'GET' }))
  const request = async (i: number): Promise<void> => {
    await asyncSpan(`request ${i % 3}`, { target: 'shop', properties: { route: `/${i}` } }, async (own) => {
      log.info(`request ${i}`, { level: 'of its own', note: 'line\nline' })
      const queries = [0, 1, 2].map((k) =>
        asyncSpan('query', async () => {
          await delay((i + k * 7) % 5)
          log.debug(`query ${k}`)
        }),
      )
      span('render', () => span('escape', () => {}))
      await Promise.all(queries.slice(0, 2))
      latency.record(i * 1.5, routes[i % 3])
      bytes.record(i)
      if (i === 7) own.fail(new RangeError('seven'))
      // The last one goes on after its parent.
    })
  }
  let within: Promise<void> | undefined
  for (let round = 0; round < 10; round++) {
    span('round', () => {
      within = Promise.all(Array.from({ length: 8 }, (_, i) => request(i))).then(() => {})
    })
    await within
  }
  log.warn('the end')
  await delay(20)
  await telemetry.shutdown()
  const range = { beginNs, endNs: BigInt(Date.now()) * 1_000_000n + 1_000_000_000n }
  const ask = (sql: string) => server.query(sql, { range })
  const id = String((await ask('SELECT process_id FROM processes'))[0]!.process_id)
  const ns = (column: string): string => `cast(cast(${column} AS bigint) AS varchar)`
  const spans = await ask(
    `SELECT name, target, filename, line, ${ns('begin')} AS b, ${ns('end')} AS e, properties, id, parent, thread_name
     FROM process_spans('${id}', 'both')`,
  )
  const logs = await ask(`SELECT ${ns('time')} AS t, level, target, msg, properties FROM log_entries`)
  const measures = await ask(`SELECT ${ns('time')} AS t, name, unit, value, properties FROM measures`)
  const time = (at: bigint): string => `timestamp '${new Date(Number(at / 1_000_000n)).toISOString()}'`
  const chunks = await ask(
    `SELECT chunk_data FROM perfetto_trace_chunks('${id}', 'both', ${time(range.beginNs)}, ${time(range.endNs)}) ORDER BY chunk_id`,
  )
  const trace = await readTrace(chunks.map(({ chunk_data: data }) => data as Uint8Array))
  expect(trace.faults).toEqual([])

  const expected = spans.map((row) =>
    spanText({
      name: String(row.name),
      target: String(row.target),
      place: [String(row.filename), Number(row.line)],
      begin: String(row.b),
      end: String(row.e),
      facts: row.properties as Facts,
    }),
  )
  expect(expected.length).toBeGreaterThan(80 * 6)
  expect(trace.slices.map(spanText).sort()).toEqual(expected.sort())
  expect(trace.slices.filter(({ facts }) => facts['error.type'] === 'RangeError')).toHaveLength(10)
  // Lanes are called after the root span, so that the page shows those of one name as one track.
  expect(new Set(trace.slices.filter(({ name }) => name === 'query').map(({ track }) => track))).toEqual(
    new Set(['request 0', 'request 1', 'request 2']),
  )

  const levels = ['', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']
  const wanted = logs.map(({ t, level, target, msg, properties }) =>
    [t, levels[Number(level)], target, msg, textOf(properties)].join(' '),
  )
  expect(wanted.length).toBe(80 * 4 + 1)
  const told = trace.instants.map(({ begin, facts: { level, target, message, properties } }) =>
    [begin, level, target, message, textOf(properties)].join(' '),
  )
  expect(told.sort()).toEqual(wanted.sort())
  for (const { name, track, within: around } of trace.instants) {
    if (name === 'the end') expect(track).toBe('Logs')
    else expect(track).toMatch(/^request \d$/)
    // Another span of the request may be open there: then it stands beside, with an arrow.
    if (name.startsWith('query') && around !== null) expect(around).toBe('query')
  }

  const trackOf = ({ name, properties }: Readonly<Record<string, unknown>>): string =>
    name === 'latency' ? `latency {method=GET, route=${(properties as Facts).route}}` : String(name)
  const unitOf = (unit: unknown): string => (unit === 'bytes' ? 'UNIT_SIZE_BYTES' : String(unit))
  const shop = measures.filter(({ name }) => name === 'latency' || name === 'sent')
  expect(shop).toHaveLength(160)
  expect(
    trace.values
      .filter(([track]) => /^(latency|sent)/.test(track))
      .map((value) => value.join(' '))
      .sort(),
  ).toEqual(shop.map((row) => [trackOf(row), unitOf(row.unit), row.t, row.value].join(' ')).sort())
  expect(trace.values).toHaveLength(measures.length)

  // Each child that does not lie within its parent has an arrow from it; each request begins within a call.
  const begins = new Map(spans.filter((row) => row.thread_name === 'async').map((row) => [row.id, row]))
  const arrows = new Set(trace.arrows.map((arrow) => arrow.join(' ')))
  const lanes = new Map(trace.slices.map((slice) => [`${slice.name} ${slice.begin}`, slice.track]))
  let apart = 0
  for (const child of begins.values()) {
    const parent = begins.get(child.parent)
    if (parent === undefined) continue
    expect(lanes.get(`${child.name} ${child.b}`)).toBe(lanes.get(`${parent.name} ${parent.b}`))
    if (arrows.has(`${parent.name} ${parent.b} ${child.name} ${child.b}`)) apart++
  }
  expect(apart).toBe(
    trace.arrows.filter(([from, , to]) => from.startsWith('request') && to === 'query').length,
  )
  // Of three queries that overlap, one can lie within the request.
  expect(apart).toBeGreaterThanOrEqual(80 * 2)
  expect(trace.arrows.filter(([from, , to]) => from === 'round' && to.startsWith('request'))).toHaveLength(80)
})
