/**
 * The whole pipeline to a server in another process: `npm run bench:pipeline -- [--seconds 10] [--pairs 3]
 * [--rate 100000] [--only throughput|load|memory|idle] [--node PATH] [--json FILE]`. The goals are for `--seconds 60`, and
 * 600 for the memory. Needs the build in dist.
 */
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatLines, type Line } from '../support/line.ts'
import { idleMemoryLines, measureIdleMemory } from './idle-memory.ts'
import { measureMemoryUnderLoad, memoryUnderLoadLines } from './memory-under-load.ts'
import { measureSteadyLoad, steadyLoadLines } from './steady-load.ts'
import { measureThroughput, throughputLines, WORKLOADS } from './throughput.ts'

const command = readCommand({ seconds: 'string', pairs: 'string', rate: 'string', only: 'string' })
const { node } = command
const seconds = numberOption(command, 'seconds', 10)
const rate = numberOption(command, 'rate', 100_000)
const pairs = numberOption(command, 'pairs', 3)
const machine = printTitle(`The pipeline, ${seconds} s a run`, node)
const lines: Line[] = []
const details: unknown[] = []

if (isWanted('throughput')) {
  for (const workload of WORKLOADS) {
    const throughput = await measureThroughput(node, workload, seconds)
    add(throughput, throughputLines(throughput))
  }
}
if (isWanted('load')) {
  const load = await measureSteadyLoad({ node, rate, seconds }, pairs)
  add(load, steadyLoadLines(load))
}
if (isWanted('memory')) {
  const memory = await measureMemoryUnderLoad({ node, rate, seconds })
  add(memory, memoryUnderLoadLines(memory))
}
if (isWanted('idle')) {
  const idle = await measureIdleMemory(node)
  add(idle, idleMemoryLines(idle))
}
if (lines.length === 0)
  throw new RangeError(`Cannot measure ${String(command.values.only)}: there is no such part`)
writeResult(command.json, { machine, lines, details })

function isWanted(part: string): boolean {
  return command.values.only === undefined || command.values.only === part
}

function add(found: unknown, shown: readonly Line[]): void {
  details.push(found)
  lines.push(...shown)
  console.log(`${shown[0]?.section ?? ''}\n${formatLines(shown)}\n`)
}
