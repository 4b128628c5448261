/**
 * What `micromegas/register` adds to a request that a server of `node:http` answers: span, metric, context and trace headers,
 * and their upload; and OpenTelemetry's SDK with its HTTP instrumentation in the same run:
 * `npm run bench:http -- [--requests 30000] [--rounds 3] [--node PATH] [--json FILE]`. Needs the build in dist.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatLines, type Line } from '../support/line.ts'
import { majorOf } from '../support/machine.ts'
import { cleanEnvironment } from '../support/measured-process.ts'
import { median } from '../support/statistics.ts'
import { formatNumber, formatTable } from '../support/table.ts'

const CONNECTIONS = 20
const WARM_UP = 5000
const SETTLE_MS = 2000
const command = readCommand({ requests: 'string', rounds: 'string' })
const requests = numberOption(command, 'requests', 30_000)
const rounds = numberOption(command, 'rounds', 3)
const register = pathToFileURL(fileURLToPath(new URL('../../dist/register.js', import.meta.url))).href
const openTelemetry = fileURLToPath(new URL('opentelemetry.cjs', import.meta.url))
const program = fileURLToPath(new URL('server.mjs', import.meta.url))

const machine = printTitle(`A request of ${requests}, ${CONNECTIONS} connections`, command.node)

/** Takes what is uploaded, in this process: only the server's own time counts. */
const sink = http.createServer((request, response) => request.resume().on('end', () => response.end()))
sink.listen(0, '127.0.0.1')
await once(sink, 'listening')
const telemetryUrl = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`

/** Processor time of the server for each request, in microseconds. */
async function measure(execArgv: readonly string[]): Promise<number> {
  const server = fork(program, {
    execArgv: [...execArgv],
    execPath: command.node,
    env: cleanEnvironment({
      MICROMEGAS_TELEMETRY_URL: telemetryUrl,
      MICROMEGAS_DIAGNOSTICS: 'off',
      MICROMEGAS_FLUSH_PERIOD: '1',
      MICROMEGAS_INSTRUMENT_OPENTELEMETRY: 'false', // which is installed here
    }),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [port] = (await once(server, 'message')) as [number]
  await load(port, WARM_UP)
  const before = await cpuOf(server)
  await load(port, requests)
  await delay(SETTLE_MS) // what is queued is sent
  const after = await cpuOf(server)
  server.kill('SIGKILL')
  return (after - before) / requests
}

async function cpuOf(server: ChildProcess): Promise<number> {
  const answer = once(server, 'message')
  server.send('cpu')
  const [{ user, system }] = (await answer) as [NodeJS.CpuUsage]
  return user + system
}

async function load(port: number, count: number): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  let left = count
  const askOn = async (): Promise<void> => {
    while (left-- > 0) {
      const [response] = (await once(http.get({ port, host: '127.0.0.1', agent }), 'response')) as [
        http.IncomingMessage,
      ]
      await once(response.resume(), 'end')
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, askOn))
  agent.destroy()
}

const runs: { bare: number; own: number; other: number }[] = []
for (let round = 0; round < rounds; round++) {
  const bare = await measure([])
  const own = (await measure(['--import', register])) - bare
  const other = (await measure(['--require', openTelemetry])) - bare
  runs.push({ bare, own, other })
}
console.log(
  formatTable(
    ['bare µs', 'micromegas/register adds µs', 'OpenTelemetry adds µs', 'ratio'],
    runs.map(({ bare, own, other }) => [bare, own, other, other / own].map(formatNumber)),
  ),
)
const section = 'A request of a server'
const lines: Line[] = [
  {
    section,
    label: 'processor time that `micromegas/register` adds: span, metric, context, upload',
    figure: median(runs.map(({ own }) => own)),
    unit: 'µs',
    goal: { atMost: majorOf(machine) < 24 ? 20 : 12 },
  },
  {
    section,
    label: 'OpenTelemetry SDK, its HTTP instrumentation and OTLP with gzip, beside it',
    figure: median(runs.map(({ own, other }) => other / own)),
    unit: '× of that',
    goal: { atLeast: 5 },
  },
]
console.log(`\n${formatLines(lines)}`)
writeResult(command.json, { machine, lines, details: runs })
sink.close()
