/**
 * Fails when recording has become dearer than `bench/baseline.json` says: `npm run bench:check -- [--short] [--update]
 * [--node PATH]`. `--short` is for machines that do other things too: less to measure, and bounds that only a broken hot
 * path exceeds. `--update` makes the figures measured now the baseline of the Node version. Needs the build in dist.
 */
import { type HotPathResult, measureHotPath } from '../hot-path/hot-path.ts'
import { type Group, ROWS } from '../hot-path/rows.ts'
import { printTitle, readCommand, writeResult } from '../support/command.ts'
import { majorOf } from '../support/machine.ts'
import { formatNumber, formatTable } from '../support/table.ts'
import { CHECKED_GROUPS, checkedFigures, readBaseline, writeBaseline } from './baseline.ts'
import { type Bounds, boundsOf, type Figures } from './bounds.ts'

interface Effort {
  readonly rounds: number
  readonly tolerance: number
}
/** A fifth over the baseline is a regression; it is seen where nothing else runs. */
const FULL: Effort = { rounds: 150, tolerance: 0.2 }
const SHORT: Effort = { rounds: 40, tolerance: 1 }
/** Noise only ever adds: a row is at fault when it is over its bound as often as this. */
const ATTEMPTS = 3

const command = readCommand({ short: 'boolean', update: 'boolean' })
const effort = command.values.short === true ? SHORT : FULL
const machine = printTitle('Recording against the baseline, in reads of the clock', command.node)
const major = String(majorOf(machine))

if (command.values.update === true) {
  writeBaseline(major, checkedFigures(await measure(CHECKED_GROUPS)))
  console.log(`baseline of Node ${major} written`)
} else {
  await check()
}

async function check(): Promise<void> {
  const baseline = readBaseline()[major]
  if (baseline === undefined) throw new Error(`Cannot check: there is no baseline of Node ${major}`)
  const figures = new Map<string, number>()
  let groups = CHECKED_GROUPS
  for (let attempt = 0; attempt < ATTEMPTS && groups.length > 0; attempt++) {
    for (const [id, reads] of checkedFigures(await measure(groups))) {
      figures.set(id, Math.min(reads, figures.get(id) ?? Number.POSITIVE_INFINITY))
    }
    const { isOver } = boundsOf(figures, baseline, effort.tolerance)
    groups = CHECKED_GROUPS.filter((group) =>
      ROWS.some((row) => figures.has(row.id) && row.group === group && isOver(row.id)),
    )
  }
  const missing = Object.keys(baseline).filter((id) => !figures.has(id))
  if (missing.length > 0) throw new Error(`Cannot check: ${missing.join(', ')} was not measured`)
  const bounds = boundsOf(figures, baseline, effort.tolerance)
  const failed = [...figures.keys()].filter(bounds.isOver)
  console.log(formatFigures(figures, baseline, bounds))
  console.log(
    `\nthe bounds allow for a machine ${formatNumber(bounds.pace)} times as slow as that of the baseline`,
  )
  const details = { figures: Object.fromEntries(figures), pace: bounds.pace, failed }
  writeResult(command.json, { machine, lines: [], details })
  if (failed.length > 0) {
    console.error(`\nover that by more than ${effort.tolerance * 100}%: ${failed.join(', ')}`)
    process.exitCode = 1
  }
}

function measure(groups: readonly Group[]): Promise<readonly HotPathResult[]> {
  return measureHotPath({ node: command.node, rounds: effort.rounds, groups })
}

function formatFigures(figures: Figures, baseline: Readonly<Record<string, number>>, bounds: Bounds): string {
  return formatTable(
    ['', 'baseline', 'now', 'bound', ''],
    [...figures].map(([id, reads]) => [
      id,
      formatNumber(baseline[id]!),
      formatNumber(reads),
      formatNumber(bounds.boundOf(id)),
      bounds.isOver(id) ? 'OVER' : 'ok',
    ]),
  )
}
