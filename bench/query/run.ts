/**
 * What it costs to read a million rows of five columns, beside pyarrow with the same answer of the same server, whether
 * memory stays flat over ten million, and what one question on the command line takes: `npm run bench:query -- [--queries 9] [--rounds 3] [--node PATH] [--json FILE]`.
 * Needs the build in dist, and Python 3.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CLIENT, preparePython } from '../../test/query/python/prepare-python.ts'
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatLines, type Line } from '../support/line.ts'
import { runMeasured } from '../support/measured-process.ts'
import { median } from '../support/statistics.ts'
import { measureCommandLine } from './command-line.ts'

interface Measured {
  /** Of each query, in order. */
  readonly seconds: readonly number[]
  /** Of the whole process, from its start. */
  readonly process: number
}

const command = readCommand({ queries: 'string', rounds: 'string' })
const queries = numberOption(command, 'queries', 9)
const rounds = numberOption(command, 'rounds', 3)
const machine = printTitle(`A million rows of five columns, ${rounds} × ${queries} queries`, command.node)
const python = preparePython(CLIENT)
if (python === undefined) {
  console.error('Cannot compare with pyarrow: no Python 3 with venv here')
  process.exit(1)
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const server = spawn(python, [path('server.py')], { stdio: ['ignore', 'pipe', 'inherit'] })
try {
  const [first] = await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])
  const port = String(first).trim()
  const measure = (mode: string, count: number): Promise<Measured> =>
    runMeasured({ script: 'query/measure.mjs', args: [mode, port, String(count)], node: command.node })
  const pyarrow = (count: number): Measured => {
    const { stdout, status } = spawnSync(python, [path('client.py'), port, String(count)], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error('Cannot measure pyarrow: it failed')
    return JSON.parse(stdout)
  }

  // In turns, so that what else the machine does falls on both.
  const [theirs, ours]: [Measured[], Measured[]] = [[], []]
  const [theirsOnce, oursOnce]: [Measured[], Measured[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    theirs.push(pyarrow(queries))
    ours.push(await measure('batches', queries))
    theirsOnce.push(pyarrow(1))
    oursOnce.push(await measure('batches', 1))
  }
  const rows = await measure('rows', 3)
  const stream = await measure('stream', 3)
  const { rss } = await runMeasured<{ rss: number[] }>({
    script: 'query/measure.mjs',
    args: ['memory', port],
    node: command.node,
  })

  const typical = (runs: readonly Measured[]): number => median(runs.flatMap((run) => run.seconds))
  const whole = (runs: readonly Measured[]): number => median(runs.map((run) => run.process))
  const megabytes = (bytes: number): number => bytes / 1024 / 1024
  // After the first two million rows; before, the heap still finds its size.
  const [settled, peak] = [Math.max(...rss.slice(0, 8)), Math.max(...rss.slice(8))]
  const figures: readonly Omit<Line, 'section'>[] = [
    { label: 'pyarrow, batches', figure: typical(theirs), unit: 's cpu' },
    { label: 'batches', figure: typical(ours), unit: 's cpu' },
    {
      label: 'batches, against pyarrow',
      figure: typical(ours) / typical(theirs),
      unit: '×',
      goal: { atMost: 1.5 },
    },
    { label: 'a process with one query, pyarrow', figure: whole(theirsOnce), unit: 's cpu' },
    { label: 'a process with one query', figure: whole(oursOnce), unit: 's cpu' },
    {
      label: 'a process with one query, against pyarrow',
      figure: whole(oursOnce) / whole(theirsOnce),
      unit: '×',
    },
    {
      label: 'row objects, all in memory, the first query',
      figure: rows.seconds[0]!,
      unit: 's cpu',
      goal: { atMost: 4 },
    },
    {
      label: 'row objects, one after the other, the first query',
      figure: stream.seconds[0]!,
      unit: 's cpu',
      goal: { atMost: 4 },
    },
    { label: 'memory while streaming, peak over the first 2 M rows', figure: megabytes(settled), unit: 'MB' },
    {
      label: 'growth of that peak over the next 8 M rows',
      figure: megabytes(peak - settled),
      unit: 'MB',
      goal: { atMost: 32 },
    },
  ]
  const lines = [
    ...figures.map((line) => ({ section: 'Queries', ...line })),
    ...(await measureCommandLine(command.node)),
  ]
  console.log(formatLines(lines))
  writeResult(command.json, { machine, lines, details: { rss } })
} finally {
  server.kill()
}
