import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FlightSQLClient } from 'micromegas/query'
import { MeasuredServer } from '../server/measured-server.ts'
import type { Line } from '../support/line.ts'
import { benchPath, cleanEnvironment } from '../support/measured-process.ts'
import { median } from '../support/statistics.ts'

const ROUNDS = 15

/** What `micromegas query "select 1"` takes, beside the start of a bare Node and the answer alone, by the clock. */
export async function measureCommandLine(node: string): Promise<Line[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bench-query-'))
  try {
    await using server = await MeasuredServer.start(node, dataDir)
    const uri = `grpc://127.0.0.1:${server.flightPort}`
    await server.row('select 1 as n')
    const timed = (args: readonly string[]): number => {
      const begin = performance.now()
      const { status, stderr } = spawnSync(node, args, { env: cleanEnvironment(), encoding: 'utf8' })
      if (status !== 0) throw new Error(`Cannot measure ${args.join(' ')}: ${stderr}`)
      return performance.now() - begin
    }
    const [bare, command, answer]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(timed(['-e', '0']))
      command.push(timed([benchPath('../dist/micromegas.js'), 'query', 'select 1', '--uri', uri]))
      const begin = performance.now()
      const client = new FlightSQLClient(uri)
      await client.query('select 1')
      answer.push(performance.now() - begin)
      await client.close()
    }
    const [start, whole, asked] = [bare, command, answer].map((times) => median(times)) as [
      number,
      number,
      number,
    ]
    const section = 'Queries'
    return [
      { section, label: 'the start of a bare Node', figure: start, unit: 'ms' },
      { section, label: 'a connection and the answer to select 1', figure: asked, unit: 'ms' },
      { section, label: 'micromegas query "select 1"', figure: whole, unit: 'ms' },
      {
        section,
        label: 'the same, over two starts and the answer',
        figure: whole / (2 * start + asked),
        unit: '×',
        goal: { atMost: 1 },
      },
    ]
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}
