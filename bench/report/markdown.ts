import type { Result } from '../support/command.ts'
import { formatGoal, meets } from '../support/goal.ts'
import { formatFigure, type Line } from '../support/line.ts'
import type { NodeResults } from './results.ts'

/** One table a section, with a column for each version of Node. */
export function renderTables(results: ReadonlyMap<string, NodeResults>): string {
  const lines = new Map([...results].map(([major, found]) => [major, linesOf(found)]))
  const sections = new Set([...lines.values()].flat().map(({ section }) => section))
  return [...sections].map((section) => renderSection(section, lines)).join('\n\n')
}

/** When and on what the figures were measured, a line for each version of Node. */
export function renderMachines(results: ReadonlyMap<string, NodeResults>): string {
  return [...results.values()]
    .flatMap((found) => Object.values(found).slice(0, 1))
    .map(
      ({ machine }) => `- Node ${machine.node}, ${machine.platform}, ${machine.cores} cores, ${day(machine)}`,
    )
    .join('\n')
}

function renderSection(section: string, byNode: ReadonlyMap<string, readonly Line[]>): string {
  const majors = [...byNode].filter(([, lines]) => lines.some((line) => line.section === section))
  const keys = new Set(
    majors.flatMap(([, lines]) => lines.filter((line) => line.section === section).map(keyOf)),
  )
  const rows = [...keys].map((key) => {
    const found = majors.map(([, lines]) => lines.find((line) => keyOf(line) === key))
    const sample = found.find((line) => line !== undefined)!
    const goal = [...new Set(found.map((line) => formatGoal(line?.goal)))].filter(Boolean).join(', ')
    return `| ${[`${sample.label}`, sample.unit, goal, ...found.map(renderFigure)].join(' | ')} |`
  })
  const columns = majors.length === 1 ? ['figure'] : majors.map(([major]) => `Node ${major}`)
  const header = `| ${['', 'in', 'goal', ...columns].join(' | ')} |`
  const rule = `|${' --- |'.repeat(2)}${' ---: |'.repeat(columns.length + 1)}`
  return [`### ${section}`, '', header, rule, ...rows].join('\n')
}

function renderFigure(line: Line | undefined): string {
  if (line === undefined) return ''
  const figure = formatFigure(line.figure)
  return line.goal !== undefined && !meets(line.figure, line.goal) ? `**${figure}** missed` : figure
}

function keyOf({ section, label, unit }: Line): string {
  return [section, label, unit].join('\n')
}

function linesOf(results: NodeResults): readonly Line[] {
  return Object.values(results).flatMap(({ lines }) => lines)
}

function day({ measuredAt }: Result['machine']): string {
  return measuredAt.slice(0, 10)
}
