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
import { asyncSpan, span } from '../../../src/tracing/span.ts'

const script = fileURLToPath(new URL('read_trace.py', import.meta.url))

interface Slice {
  readonly name: string
  readonly target: string
  readonly place: readonly [file: string, line: number]
  readonly begin: string
  readonly end: string
  readonly track: string
}

/** The slices of a trace, read by Google's own classes. */
async function readTrace(chunks: readonly Uint8Array[]): Promise<{ slices: Slice[]; faults: string[] }> {
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

const keyOf = ({ name, target, place, begin, end }: Slice): string =>
  `${begin} ${end} ${target} ${name} ${place.join(':')}`

test('every span of a trace comes back, exact to the nanosecond, however they overlap', async () => {
  await using server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const beginNs = BigInt(Date.now()) * 1_000_000n - 1_000_000_000n
  const telemetry = initTelemetry({
    telemetryUrl: server.url,
    cpuTracing: true,
    localSinkEnabled: false,
    systemMetrics: false,
    signalHandling: false,
  })
  const request = async (i: number): Promise<void> => {
    await asyncSpan(`request ${i % 3}`, { target: 'shop' }, async () => {
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
    `SELECT name, target, filename, line, cast(begin AS bigint) AS b, cast(end AS bigint) AS e
     FROM process_spans('${id}', 'both')`,
    { range },
  )
  const time = (ns: bigint): string => `timestamp '${new Date(Number(ns / 1_000_000n)).toISOString()}'`
  const chunks = await server.query(
    `SELECT chunk_data FROM perfetto_trace_chunks('${id}', 'both', ${time(range.beginNs)}, ${time(range.endNs)})`,
    { range },
  )
  const { slices, faults } = await readTrace(chunks.map(({ chunk_data: data }) => data as Uint8Array))
  expect(faults).toEqual([])
  const expected = rows.map((row) =>
    keyOf({
      name: String(row.name),
      target: String(row.target),
      place: [String(row.filename), Number(row.line)],
      begin: String(row.b),
      end: String(row.e),
      track: '',
    }),
  )
  expect(expected.length).toBeGreaterThan(80 * 6)
  expect(slices.map(keyOf).sort()).toEqual(expected.sort())
  // Lanes are called after the root span, so that the page shows those of one name as one track.
  expect(new Set(slices.filter(({ name }) => name === 'query').map(({ track }) => track))).toEqual(
    new Set(['request 0', 'request 1', 'request 2']),
  )
})
