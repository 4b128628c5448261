import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startServer } from '../../../server/src/index.ts'
import { initTelemetry } from '../../../src/main/init-telemetry.ts'
import { logger } from '../../../src/tracing/logger.ts'
import { fmetric, imetric } from '../../../src/tracing/metric.ts'
import { asyncSpan, span } from '../../../src/tracing/span.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'

const script = fileURLToPath(new URL('read_trace.py', import.meta.url))

interface Slice {
  readonly name: string
  readonly target: string
  readonly place: readonly [file: string, line: number]
  readonly begin: string
  readonly end: string
  readonly track: string
  readonly properties: Readonly<Record<string, string>>
}

interface Trace {
  readonly labels: readonly string[]
  readonly slices: readonly Slice[]
  readonly logs: readonly (readonly [
    time: string,
    target: string,
    priority: number,
    message: string,
    properties: Readonly<Record<string, string>>,
  ])[]
  readonly counts: readonly (readonly [
    time: string,
    group: string,
    name: string,
    unit: string,
    value: number,
  ])[]
  /** From which span to which. */
  readonly flows: readonly (readonly [from: string, to: string])[]
  readonly faults: readonly string[]
}

/** What a trace holds, read by Google's own classes. */
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

const keyOf = ({ name, target, place, begin, end, properties }: Omit<Slice, 'track'>): string =>
  `${begin} ${end} ${target} ${name} ${place.join(':')} ${JSON.stringify(properties)}`

test('every span, log and measure of a process is in its trace, exact to the nanosecond, however spans overlap', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const beginNs = BigInt(Date.now()) * 1_000_000n - 1_000_000_000n
  const telemetry = initTelemetry({
    telemetryUrl: server.url,
    cpuTracing: true,
    localSinkEnabled: false,
    systemMetrics: false,
    signalHandling: false,
  })
  const log = logger('shop')
  const requests = imetric('requests', 'count', { target: 'shop' })
  const latency = fmetric('latency', 'ms', { target: 'shop' })
  const request = async (i: number): Promise<void> => {
    const properties = { route: `/${i}`, 'odd "key"': '𝄞 and\nmore' }
    await asyncSpan(`request ${i % 3}`, { target: 'shop', properties }, async () => {
      log.info('started', propertySet({ i: String(i) }))
      log.error`failed ${i} times`
      requests.record(i)
      latency.record(i / 3, propertySet({ route: `/${i % 2}` }))
      const queries = [0, 1, 2].map((k) => asyncSpan('query', () => delay((i + k * 7) % 5)))
      span('render', () => span('escape', () => {}))
      await Promise.all(queries.slice(0, 2))
      // The last one goes on after its parent.
    })
  }
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 8 }, (_, i) => request(i)))
  await delay(20)
  await telemetry.shutdown()
  const range = { beginNs, endNs: BigInt(Date.now()) * 1_000_000n + 1_000_000_000n }
  const [process_] = await server.query('SELECT process_id FROM processes')
  const id = String(process_!.process_id)
  const rows = await server.query(
    `SELECT name, target, filename, line, cast(begin AS bigint) AS b, cast(end AS bigint) AS e, properties
     FROM process_spans('${id}', 'both')`,
    { range },
  )
  const time = (ns: bigint): string => `timestamp '${new Date(Number(ns / 1_000_000n)).toISOString()}'`
  const chunks = await server.query(
    `SELECT chunk_data FROM perfetto_trace_chunks('${id}', 'both', ${time(range.beginNs)}, ${time(range.endNs)})`,
    { range },
  )
  const { labels, slices, logs, counts, flows, faults } = await readTrace(
    chunks.map(({ chunk_data: data }) => data as Uint8Array),
  )
  expect(faults).toEqual([])
  const expected = rows.map((row) =>
    keyOf({
      name: String(row.name),
      target: String(row.target),
      place: [String(row.filename), Number(row.line)],
      begin: String(row.b),
      end: String(row.e),
      properties: row.properties as Record<string, string>,
    }),
  )
  expect(expected.length).toBeGreaterThan(80 * 6)
  expect(slices.map(keyOf).sort()).toEqual(expected.sort())
  // A child that does not fit onto its parent's lane has an arrow from it.
  expect(flows.length).toBeGreaterThan(0)
  for (const [from, to] of flows) expect([from.replace(/ .*/, ''), to]).toEqual(['request', 'query'])
  const entries = await server.query(
    `SELECT cast(time AS bigint) AS t, target, level, msg, properties FROM log_entries WHERE process_id = '${id}'`,
    { range },
  )
  expect(entries.length).toBeGreaterThanOrEqual(160)
  const priorityOf = [0, 7, 6, 5, 4, 3, 2]
  expect(logs.map((entry) => JSON.stringify(entry)).sort()).toEqual(
    entries
      .map((row) =>
        JSON.stringify([String(row.t), row.target, priorityOf[Number(row.level)], row.msg, row.properties]),
      )
      .sort(),
  )
  const measures = await server.query(
    `SELECT cast(time AS bigint) AS t, target, name, unit, value, properties FROM measures WHERE process_id = '${id}'`,
    { range },
  )
  const labelOf = (properties: object): string => {
    const list = Object.entries(properties).map(([key, value]) => `${key}=${value}`)
    return list.length > 0 ? ` {${list.join(', ')}}` : ''
  }
  expect(measures.length).toBeGreaterThanOrEqual(160)
  expect(counts.map((entry) => JSON.stringify(entry)).sort()).toEqual(
    measures
      .map((row) =>
        JSON.stringify([
          String(row.t),
          `Metrics ${row.target}`,
          `${row.name}${labelOf(row.properties as object)}`,
          row.unit,
          row.value,
        ]),
      )
      .sort(),
  )
  expect(labels).toContainEqual(expect.stringMatching(/^node_version=v/))
  // Lanes are called after the root span, so that the page shows those of one name as one track.
  expect(new Set(slices.filter(({ name }) => name === 'query').map(({ track }) => track))).toEqual(
    new Set(['request 0', 'request 1', 'request 2']),
  )
})
