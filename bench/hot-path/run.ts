/**
 * What recording costs, beside the clock and other libraries: `npm run bench -- [--rounds 200] [--events 10000000]
 * [--node PATH] [--json FILE]`. Needs the build in dist.
 */
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatGoal, formatVerdict } from '../support/goal.ts'
import { formatNumber, formatTable } from '../support/table.ts'
import { GARBAGE_GOAL, type Garbage, isStaticEvent, measureGarbage } from './garbage.ts'
import { type HotPathResult, measureHotPath } from './hot-path.ts'
import { ROWS } from './rows.ts'

const command = readCommand({ rounds: 'string', events: 'string' })
const machine = printTitle('Recording: the hot path', command.node)

const results = await measureHotPath({ node: command.node, rounds: numberOption(command, 'rounds', 200) })
console.log(formatResults(results))

const events = numberOption(command, 'events', 10_000_000)
console.log(`\nHeap bytes allocated per event, over ${events.toLocaleString('en')} events`)
const garbage = await measureGarbage(command.node, events)
console.log(formatGarbage(garbage))

writeResult(command.json, {
  machine,
  lines: [
    ...results.map(({ row, figure }) => ({
      section: row.section,
      label: row.label,
      figure: figure.ratio,
      unit: row.unit,
      goal: row.goal,
    })),
    ...Object.entries(garbage).map(([id, { bytesPerEvent }]) => ({
      section: 'Garbage',
      label: labelOf(id),
      figure: bytesPerEvent,
      unit: 'bytes per event',
      goal: isStaticEvent(id) ? GARBAGE_GOAL : undefined,
    })),
  ],
  details: { hotPath: results.map(({ row, figure }) => ({ id: row.id, ...figure })), garbage },
})

function labelOf(id: string): string {
  return ROWS.find((row) => row.id === id)?.label ?? id
}

function formatResults(rows: readonly HotPathResult[]): string {
  const header = ['', 'ns median', 'ns min', 'cheapest reads', 'ratio', 'by min', 'to', 'goal', '']
  return formatTable(
    header,
    rows.map(({ row, figure }) => [
      row.label,
      formatNumber(figure.medianNs),
      formatNumber(figure.minNs),
      formatNumber(figure.cheapestReads),
      formatNumber(figure.ratio),
      formatNumber(figure.minRatio),
      row.unit,
      formatGoal(row.goal),
      formatVerdict(figure.ratio, row.goal),
    ]),
  )
}

function formatGarbage(found: Readonly<Record<string, Garbage>>): string {
  return formatTable(
    ['', 'bytes/event', 'bytes/block', 'goal', ''],
    Object.entries(found).map(([id, { bytesPerEvent, bytesPerBlock }]) => {
      const goal = isStaticEvent(id) ? GARBAGE_GOAL : undefined
      const perBlock = bytesPerBlock === 0 ? '' : formatNumber(bytesPerBlock)
      const shownGoal = goal === undefined ? '' : '0'
      return [id, bytesPerEvent.toFixed(3), perBlock, shownGoal, formatVerdict(bytesPerEvent, goal)]
    }),
  )
}
