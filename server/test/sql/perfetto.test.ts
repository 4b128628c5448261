import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { fmetric, imetric } from '../../../src/tracing/metric.ts'
import { asyncSpan, beginAsyncSpan, span } from '../../../src/tracing/spans/span.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'
import { startTelemetry } from '../../../test/support/telemetry-service.ts'
import type { LocalEngine } from '../../src/sql/local-engine.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { ask } from './answers.ts'
import { openGoldenEngine } from './golden-engine.ts'
import { keyOf, readTrace, type Trace } from './read-trace.ts'

const LEVELS = ['', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']

type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>

/** What the views show of a process, in the order of texts. */
async function viewsOf(query: Ask, id: string) {
  const ns = (column: string): string => `cast(cast(${column} AS bigint) AS varchar)`
  const spans = await query(
    `SELECT name, target, filename, line, ${ns('begin')} AS b, ${ns('end')} AS e, jsonb_format_json(properties) AS p
     FROM process_spans('${id}', 'both')`,
  )
  const logs = await query(
    `SELECT ${ns('time')} AS t, level, target, msg, jsonb_format_json(properties) AS p FROM log_entries WHERE process_id = '${id}'`,
  )
  const measures = await query(
    `SELECT ${ns('time')} AS t, name, value FROM measures WHERE process_id = '${id}'`,
  )
  const finite = measures.filter(({ value }) => Number.isFinite(Number(value)))
  const facts = (json: unknown): string => JSON.stringify(sortedEntries(JSON.parse(String(json))))
  return {
    spans: spans
      .map(({ name, target, filename, line, b, e, p }) =>
        [name, target, `${filename}:${line}`, b, e, facts(p)].join(' '),
      )
      .sort(),
    logs: logs
      .map(({ t, level, target, msg, p }) => [t, LEVELS[Number(level)], target, msg, facts(p)].join(' '))
      .sort(),
    values: finite.map(({ t, name, value }) => [t, name, value].join(' ')).sort(),
    unusual: measures.length - finite.length,
  }
}

const sortedEntries = (facts: object): unknown[] => Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1))

/** The same of a trace. */
function shownBy({ slices, instants, values }: Trace) {
  return {
    spans: slices
      .map(({ name, target, place, begin, end, facts }) =>
        [name, target, place, begin, end, JSON.stringify(sortedEntries(facts))].join(' '),
      )
      .sort(),
    logs: instants
      .filter(({ track }) => track !== 'Not in this trace')
      .map(({ begin, target, facts: { level, message, properties } }) =>
        [begin, level, target, message, JSON.stringify(sortedEntries(properties ?? {}))].join(' '),
      )
      .sort(),
    values: values
      .map(({ track, time, value }) => [time, track.replace(/ \{.*/s, ''), value].join(' '))
      .sort(),
  }
}

const notesOf = ({ instants }: Trace): string[] =>
  instants.filter(({ track }) => track === 'Not in this trace').map(({ name }) => name)

describe('recordings of three programs', () => {
  let engine: LocalEngine
  beforeAll(async () => {
    engine = await openGoldenEngine()
  })
  afterAll(() => engine.close())

  test('every span, log, property and value comes back, exact to the nanosecond', async () => {
    const range = {
      beginNs: BigInt(Date.parse('2026-11-01')) * 1_000_000n,
      endNs: BigInt(Date.parse('2026-12-01')) * 1_000_000n,
    }
    const query: Ask = async (sql) => {
      const { columns, rows } = await ask(engine, { sql, range, caller: { admin: false } })
      return rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])))
    }
    const processes = await query('SELECT process_id FROM processes')
    expect(processes.length).toBeGreaterThan(2)
    const seen = { spans: 0, logs: 0, values: 0, unusual: 0 }
    for (const { process_id: id } of processes) {
      const chunks = await query(
        `SELECT chunk_id, chunk_data FROM perfetto_trace_chunks('${id}', 'both', timestamp '2026-11-01', timestamp '2026-12-01')`,
      )
      expect(chunks.map(({ chunk_id: n }) => n)).toEqual(chunks.map((_, i) => i))
      const trace = readTrace(chunks.map(({ chunk_data: data }) => bytesOf(data)))
      expect(trace.faults).toEqual([])
      const { unusual, ...expected } = await viewsOf(query, String(id))
      expect(shownBy(trace)).toEqual(expected)
      const left = notesOf(trace).flatMap(
        (note) => /^Values of .* that are not numbers: (\d+)$/.exec(note)?.[1] ?? [],
      )
      expect(left.reduce((sum, n) => sum + Number(n), 0)).toBe(unusual)
      seen.unusual += unusual
      for (const kind of ['spans', 'logs', 'values'] as const) seen[kind] += expected[kind].length
    }
    expect(Math.min(seen.spans, seen.logs, seen.values)).toBeGreaterThan(50)
    expect(seen.unusual).toBeGreaterThan(3)
  })
})

/** Bytes, as `ask` gives them. */
const bytesOf = (data: unknown): Uint8Array => Buffer.from((data as { readonly hex: string }).hex, 'hex')

describe('a service', () => {
  let server: TestServer
  let id: string
  let range: { readonly beginNs: bigint; readonly endNs: bigint }
  const query: Ask = (sql) => server.query(sql, { range })

  beforeAll(async () => {
    server = await startServer()
    const beginNs = BigInt(Date.now()) * 1_000_000n - 1_000_000_000n
    const telemetry = startTelemetry(server.url)
    const log = logger('shop')
    log.warn('before', { level: 'mine', region: 'eu' })
    log.info(`two\nlines ${'x'.repeat(1000)}`)
    await asyncSpan('request', { properties: { 'http.route': '/pay' } }, async (request) => {
      log.error('within request')
      const slow = asyncSpan('slow', () => delay(20))
      await asyncSpan('quick', async () => {
        await delay(1)
        log.info('within quick')
      })
      // On the lane of the request "slow" is open now.
      log.info('beside slow')
      await slow
      await asyncSpan('declined', async () => {
        throw new TypeError('no card')
      }).catch(() => undefined)
      request.set({ 'http.response.status_code': 200 })
    })
    let started: Promise<void> | undefined
    span('outer', () => {
      span('before', () => {})
      span('inner', () => {
        started = asyncSpan('begun in inner', () => delay(1))
      })
    })
    await started
    beginAsyncSpan('never ended')
    const duration = fmetric('duration', 'ms', { target: 'shop' })
    for (let i = 0; i < 150; i++) {
      const set = propertySet({ route: `/${i}` })
      for (let k = 0; k <= (i < 100 ? 1 : 0); k++) duration.record(i + 0.5, set)
    }
    imetric('size', 'bytes', { target: 'shop' }).record(12)
    await telemetry.shutdown()
    range = { beginNs, endNs: BigInt(Date.now()) * 1_000_000n + 1_000_000_000n }
    id = String((await query('SELECT process_id FROM processes'))[0]!.process_id)
  })
  afterAll(() => server.close())

  async function traceOf(types = 'both', ...events: string[]): Promise<Trace> {
    const time = (ns: bigint): string => `timestamp '${new Date(Number(ns / 1_000_000n)).toISOString()}'`
    const args = [
      `'${id}'`,
      `'${types}'`,
      time(range.beginNs),
      time(range.endNs),
      ...events.map((e) => `'${e}'`),
    ]
    const chunks = await query(
      `SELECT chunk_data FROM perfetto_trace_chunks(${args.join(', ')}) ORDER BY chunk_id`,
    )
    const trace = readTrace(chunks.map(({ chunk_data: data }) => data as Uint8Array))
    expect(trace.faults).toEqual([])
    return trace
  }

  test('spans show their properties, and how they failed', async () => {
    const { slices } = await traceOf()
    const facts = new Map(slices.map((slice) => [slice.name, slice.facts]))
    expect(facts.get('request')).toEqual({ 'http.route': '/pay', 'http.response.status_code': '200' })
    expect(facts.get('declined')).toEqual({ 'error.type': 'TypeError', 'exception.message': 'no card' })
    expect(facts.get('outer')).toEqual({})
  })

  test('logs lie within the span that they are of, others on a track of their own, with all they say', async () => {
    const { instants, arrows } = await traceOf()
    const of = (name: string) => instants.find((instant) => instant.name.startsWith(name))!
    expect(of('before')).toMatchObject({ track: 'Logs', target: 'shop', within: [] })
    expect(of('before').facts).toEqual({
      level: 'warn',
      target: 'shop',
      message: 'before',
      properties: { level: 'mine', region: 'eu' },
    })
    expect(of('two').name).toBe('two')
    expect(String(of('two').facts.message)).toHaveLength('two\nlines '.length + 1000)
    expect(of('within request')).toMatchObject({ track: 'request', within: ['request'] })
    expect(of('within quick')).toMatchObject({ track: 'request', within: ['quick'] })
    expect(of('beside slow')).toMatchObject({ track: 'request', within: [] })
    expect(arrows.filter(({ to }) => to === keyOf(of('beside slow'))).map(({ from }) => from)).toEqual([
      expect.stringMatching(/^request /),
    ])
    const alone = await traceOf('thread')
    expect(new Set(alone.instants.map(({ track }) => track))).toEqual(new Set(['Logs', 'Not in this trace']))
  })

  test('arrows lead from a span to what lies apart, and from a call to the async span that it begins', async () => {
    const { slices, arrows } = await traceOf()
    const named = arrows.map(({ from, to }) => `${from.replace(/ \d+$/, '')} > ${to.replace(/ \d+$/, '')}`)
    expect(named.sort()).toEqual(['inner > begun in inner', 'request > beside slow', 'request > quick'])
    const keys = new Set(slices.map(keyOf))
    for (const { from } of arrows) expect(keys).toContain(from)
    expect((await traceOf('async')).arrows.map(({ from }) => from)).not.toContain('inner')
  })

  test('a metric has a track for each property set; of more than a hundred the rest shares one', async () => {
    const trace = await traceOf()
    const { values } = trace
    const shown = values.filter(({ track }) => track.startsWith('duration'))
    expect(shown).toHaveLength(250)
    expect(new Set(shown.map(({ track }) => track)).size).toBe(101)
    expect(shown.filter(({ track }) => track === 'duration {route=/7}').map(({ value }) => value)).toEqual([
      7.5, 7.5,
    ])
    const rest = shown.filter(({ track }) => track === 'duration {further property sets}')
    expect(rest.map(({ value, facts }) => `${value} ${String(facts.route)}`).sort()).toEqual(
      Array.from({ length: 50 }, (_, i) => `${i + 100}.5 /${i + 100}`).sort(),
    )
    const units = new Map([...trace.tracks.values()].map(({ name, unit }) => [name, unit]))
    expect([units.get('size'), units.get('duration {route=/7}')]).toEqual([3, 'ms'])
    const parents = [...trace.tracks.values()]
      .filter(({ name }) => name === 'size')
      .map(({ parent }) => trace.tracks.get(parent)!.name)
    expect(parents).toEqual(['Metrics shop'])
  })

  test('what a trace does not show is told in it', async () => {
    expect(notesOf(await traceOf())).toEqual([
      'duration has 150 property sets: the 100 with the most values have tracks of their own, the others share one',
      'Async spans without an end in this range: 1',
    ])
    expect(notesOf(await traceOf('thread', 'none'))).toEqual([])
  })

  test('logs and metrics can be left out; spans are chosen by themselves', async () => {
    const counts = async (types: string, events: string): Promise<unknown> => {
      const { slices, instants, values } = await traceOf(types, events)
      const logs = instants.filter(({ track }) => track !== 'Not in this trace').length
      return [slices.length > 0, logs, values.filter(({ track }) => /^(duration|size)/.test(track)).length]
    }
    expect(await counts('both', 'none')).toEqual([true, 0, 0])
    expect(await counts('async', 'logs')).toEqual([true, 5, 0])
    expect(await counts('thread', 'metrics')).toEqual([true, 0, 251])
    expect(await counts('both', 'both')).toEqual([true, 5, 251])
    await expect(traceOf('both', 'measures')).rejects.toThrow(
      "events must be 'logs', 'metrics', 'both', or 'none', given: measures",
    )
  })
})
