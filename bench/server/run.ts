/**
 * What `micromegas-server` costs: `npm run bench:server -- [--events 10000000] [--stored-mb 1000] [--rounds 5] [--node PATH]
 * [--json FILE]`. Cpu is that of the server's whole process. Needs the build in dist.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FlightSQLClient } from 'micromegas/query'
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import type { Goal } from '../support/goal.ts'
import { formatLines, type Line } from '../support/line.ts'
import { median, quantile } from '../support/statistics.ts'
import { CountingProxy } from './counting-proxy.ts'
import { healthTimes } from './health.ts'
import { MeasuredServer } from './measured-server.ts'

const command = readCommand({ events: 'string', 'stored-mb': 'string', rounds: 'string' })
const events = numberOption(command, 'events', 10_000_000)
const storedMb = numberOption(command, 'stored-mb', 1000)
const rounds = numberOption(command, 'rounds', 5)
const MILLION = 1_000_000
const SPANS = 100_000
/** Of a log of `large-logs`, on the disk. */
const LARGE_LOG_BYTES = 1024
const MILLION_ROWS = `SELECT time, level, target, msg, process_id FROM log_entries LIMIT ${MILLION}`
const machine = printTitle(
  `The server: ${events.toLocaleString('en')} events, ${storedMb} MB stored`,
  command.node,
)

const lines: Line[] = []
const add = (label: string, figure: number, unit: string, goal?: Goal): void => {
  lines.push({ section: 'The server', label, figure, unit, goal })
}
const folders: string[] = []
const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'bench-server-'))
  folders.push(path)
  return path
}

/** Waits until as many logs can be asked for. */
async function untilThere(server: MeasuredServer, count: number): Promise<number> {
  const begin = performance.now()
  for (;;) {
    const { n } = await server.row('SELECT count(*) AS n FROM log_entries')
    if (Number(n) >= count) return performance.now() - begin
    if (performance.now() - begin > 120_000) throw new Error(`Cannot measure: ${n} of ${count} logs came`)
  }
}

async function measureIngestion(server: MeasuredServer): Promise<void> {
  // Somebody looks at logs: from now on they are decoded as they come.
  await untilThere(server, 0)
  let visibleMs = 0
  const { cpuMs } = await server.measure(async () => {
    await server.record('logs', MILLION)
    visibleMs = await untilThere(server, MILLION)
  })
  add('ingestion of logs, decoded and asked for once', MILLION / (cpuMs / 1000), 'events/s cpu', {
    atLeast: 500_000,
  })
  add('from the last answer until all of them are counted', visibleMs, 'ms', { atMost: 1000 })
}

/** What was asked, to be asked again while something else is measured. */
const asked: string[] = []

async function measureQueries(server: MeasuredServer): Promise<void> {
  await server.settled()
  const { process_id: id } = await server.row('SELECT process_id FROM processes')
  const { t } = await server.row('SELECT cast(max(time) AS varchar) AS t FROM log_entries')
  const costs = async (label: string, sql: string, atMost: number): Promise<void> => {
    asked.push(sql)
    const figures: number[] = []
    for (let i = 0; i < rounds; i++)
      figures.push((await server.measure(() => server.client.query(sql))).cpuMs)
    add(label, median(figures), 'ms cpu', { atMost })
  }
  const logs = '1 M logs:'
  await costs(`${logs} count by level`, 'SELECT level, count(*) FROM log_entries GROUP BY level', 50)
  await costs(
    `${logs} the last 100 of a process`,
    `SELECT * FROM view_instance('log_entries', '${id}') ORDER BY time DESC LIMIT 100`,
    50,
  )
  await costs(
    `${logs} those of the last second`,
    `SELECT count(*) FROM log_entries WHERE time > timestamp '${t}' - interval '1 second'`,
    50,
  )
  await costs(`${logs} a text`, `SELECT count(*) FROM log_entries WHERE msg LIKE '%refused for 99%'`, 400)
  await server.record('measures', MILLION)
  await server.row('SELECT count(*) AS n FROM measures')
  await server.settled()
  await costs(
    '1 M values: percentiles of 20 names',
    `SELECT name, approx_percentile_cont(value, 0.5) AS p50, approx_percentile_cont(value, 0.99) AS p99
     FROM measures GROUP BY name`,
    400,
  )
}

/** The same by the older part of the HTTP API, which reads blocks. */
async function measureScans(server: MeasuredServer): Promise<void> {
  const scan = async (label: string, path: string): Promise<void> => {
    const { cpuMs } = await server.measure(async () => {
      const response = await fetch(`${server.url}${path}`)
      if (response.status !== 200) throw new Error(`Cannot measure: ${path} answered ${response.status}`)
      await response.arrayBuffer()
    })
    add(label, cpuMs, 'ms cpu')
  }
  await scan('the last 100 logs, by /api/log_entries', '/api/log_entries?limit=100')
  await scan('1 M values: a summary, by /api/measures/summary', '/api/measures/summary')
  await scan(`the last 100 of ${SPANS} spans, by /api/spans`, '/api/spans?limit=100&kind=thread')
}

async function measureSpans(server: MeasuredServer): Promise<void> {
  await server.record('thread-spans', SPANS)
  const { stream_id: id } = await server.row(
    `SELECT stream_id FROM streams WHERE array_has(tags, 'cpu') ORDER BY insert_time DESC LIMIT 1`,
  )
  const sql = `SELECT id, parent, depth, cast(begin AS bigint) AS begin, duration, name
    FROM view_instance('thread_spans', '${id}')`
  const range = { begin: new Date(Date.now() - 3_600_000), end: new Date() }
  await using proxy = await CountingProxy.to(server.flightPort)
  const client = new FlightSQLClient(`grpc://127.0.0.1:${proxy.port}`)
  let rows = 0
  const { ms } = await server.measure(async () => {
    for await (const batch of client.queryStream(sql, range)) rows += batch.numRows
  })
  await client.close()
  if (rows < SPANS) throw new Error(`Cannot measure: ${rows} spans of ${SPANS}`)
  add('100,000 spans of a stream, the first time', ms, 'ms', { atMost: 1000 })
  add('the same, over the wire', proxy.received / MILLION, 'MB', { atMost: 3 })
}

async function measureFlight(server: MeasuredServer): Promise<void> {
  const figures: number[] = []
  for (let i = 0; i < rounds; i++) {
    let rows = 0
    const { cpuMs } = await server.measure(async () => {
      for await (const batch of server.client.queryStream(MILLION_ROWS)) rows += batch.numRows
    })
    if (rows !== MILLION) throw new Error(`Cannot measure: ${rows} rows`)
    figures.push(cpuMs / 1000)
  }
  add('FlightSQL, 1 M rows of 5 columns', median(figures), 's cpu', { atMost: 2 })
}

async function measureStart(): Promise<void> {
  const dataDir = await folder()
  {
    await using server = await MeasuredServer.start(command.node, dataDir)
    await server.record('large-logs', Math.ceil((storedMb * MILLION) / LARGE_LOG_BYTES))
  }
  const begin = performance.now()
  await using server = await MeasuredServer.start(command.node, dataDir)
  await server.record('logs', 1)
  const ms = performance.now() - begin
  const stats = (await (await fetch(`${server.url}/api/stats`)).json()) as { readonly bytes: number }
  add(
    `start with ${Math.round(stats.bytes / MILLION)} MB stored, until a block of a new service is taken`,
    ms,
    'ms',
    {
      atMost: 2000,
    },
  )
}

try {
  {
    await using server = await MeasuredServer.start(command.node, await folder())
    await measureIngestion(server)
    await measureQueries(server)
    await measureSpans(server)
    await measureFlight(server)
    const times = await healthTimes(server.url, async () => {
      for (const sql of asked) await server.client.query(sql)
      for await (const _ of server.client.queryStream(MILLION_ROWS));
      await server.record('logs', MILLION / 10)
    })
    add('/health while each of these runs, and logs come, 99 of 100', quantile(times, 0.99), 'ms', {
      atMost: 50,
    })
    await server.record('logs', Math.max(1, events - 2 * MILLION - SPANS))
    await untilThere(server, events - MILLION - SPANS)
    await server.client.query('SELECT level, count(*) FROM log_entries GROUP BY level')
    await server.client.query(`SELECT count(*) FROM log_entries WHERE msg LIKE '%platypus%'`)
    const { rssBytes } = await server.usage()
    add(
      `memory with ${(events / MILLION).toFixed()} M events stored, after such queries`,
      rssBytes / MILLION,
      'MB',
      {
        atMost: 500,
      },
    )
    await measureScans(server)
  }
  await measureStart()
} finally {
  for (const path of folders) await rm(path, { recursive: true, force: true })
}
console.log(formatLines(lines))
writeResult(command.json, { machine, lines, details: [] })
