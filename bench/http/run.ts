/**
 * What `micromegas/register` adds to a request that a server of `node:http` answers: span, metric, context and trace headers,
 * and their upload: `npm run bench:http -- [--requests 30000] [--rounds 3] [--node PATH]`. Needs the build in dist.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { numberOption, printTitle, readCommand } from '../support/command.ts'
import { formatNumber, formatTable } from '../support/table.ts'

const CONNECTIONS = 20
const WARM_UP = 5000
const command = readCommand({ requests: 'string', rounds: 'string' })
const requests = numberOption(command, 'requests', 30_000)
const rounds = numberOption(command, 'rounds', 3)
const register = pathToFileURL(fileURLToPath(new URL('../../dist/register.js', import.meta.url))).href
const program = fileURLToPath(new URL('server.mjs', import.meta.url))

printTitle(`A request of ${requests}, ${CONNECTIONS} connections`, command.node)

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
    env: { PATH: process.env.PATH, MICROMEGAS_TELEMETRY_URL: telemetryUrl, MICROMEGAS_DIAGNOSTICS: 'off' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [port] = (await once(server, 'message')) as [number]
  await load(port, WARM_UP)
  const before = await cpuOf(server)
  await load(port, requests)
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

const rows: string[][] = []
for (let round = 0; round < rounds; round++) {
  const bare = await measure([])
  const registered = await measure(['--import', register])
  rows.push([bare, registered, registered - bare].map(formatNumber))
}
console.log(formatTable(['bare µs', 'with micromegas/register µs', 'added µs'], rows))
sink.close()
