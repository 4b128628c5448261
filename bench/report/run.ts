/**
 * Measures everything and writes it into docs/performance.md: `npm run bench:report -- [--nodes PATH,PATH]
 * [--only NAME,NAME] [--quick] [--write]`. `--nodes` are the Node binaries to measure on, `--only` some of the benchmarks
 * by name; `--quick` takes minutes, for figures that are only good for a look; `--write` only writes down what
 * bench/results holds. It takes half an hour a version, in which nothing else should run. Needs the build in dist.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Result, readCommand } from '../support/command.ts'
import { describeMachine, majorOf } from '../support/machine.ts'
import { benchPath } from '../support/measured-process.ts'
import { BENCHMARKS, type Benchmark } from './benchmarks.ts'
import { renderMachines, renderTables } from './markdown.ts'
import { keepResult, readResults } from './results.ts'

const MAJORS = ['20', '22', '24', '26'] as const
const DOCUMENT = benchPath('../docs/performance.md')
const BEGIN = '<!-- results: written by npm run bench:report -->'
const END = '<!-- end of results -->'

const command = readCommand({ nodes: 'string', only: 'string', quick: 'boolean', write: 'boolean' })
const nodes = String(command.values.nodes ?? command.node).split(',')
const wanted = command.values.only === undefined ? undefined : String(command.values.only).split(',')

if (command.values.write !== true) measureAll()
writeDocument()

function measureAll(): void {
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-bench-'))
  try {
    for (const [index, node] of nodes.entries()) {
      for (const benchmark of BENCHMARKS) {
        if (wanted !== undefined && !wanted.includes(benchmark.name)) continue
        if (benchmark.once !== true || index === 0) measure(benchmark, node, join(folder, 'result.json'))
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function measure(benchmark: Benchmark, node: string, file: string): void {
  const { name, script } = benchmark
  const options = command.values.quick === true ? benchmark.quickOptions : benchmark.options
  const args = [...process.execArgv, benchPath(script), ...options, '--node', node, '--json', file]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`Cannot measure ${name} on ${node}: it ended with ${status}`)
  const { machine, lines } = JSON.parse(readFileSync(file, 'utf8')) as Result
  keepResult(String(majorOf(describeMachine(node))), name, { machine, lines })
}

function writeDocument(): void {
  const results = new Map(
    MAJORS.map((major) => [major, readResults(major)] as const).filter(
      ([, found]) => Object.keys(found).length > 0,
    ),
  )
  const text = readFileSync(DOCUMENT, 'utf8')
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`Cannot write the results: ${DOCUMENT} has no place for them`)
  const written = `${BEGIN}\n\n${renderMachines(results)}\n\n${renderTables(results)}\n\n`
  writeFileSync(DOCUMENT, text.slice(0, begin) + written + text.slice(end))
  console.log(`written to ${DOCUMENT}`)
}
