/**
 * What loading the package adds to the start of a process: `npm run bench:startup -- [--rounds 41] [--node PATH]
 * [--json FILE]`. Needs the build in dist.
 */
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatGoal, formatVerdict } from '../support/goal.ts'
import { majorOf } from '../support/machine.ts'
import { formatNumber, formatTable } from '../support/table.ts'
import { measureStartup } from './paired-runs.ts'
import { subjectsOn } from './subjects.ts'

const command = readCommand({ rounds: 'string' })
const rounds = numberOption(command, 'rounds', 41)
const machine = printTitle(`Start-up, ${rounds} pairs of processes each`, command.node)

const figures = measureStartup(command.node, subjectsOn(majorOf(machine)), rounds)
const header = ['', 'format', 'whole ms', 'quartile ms', 'added ms', 'ratio', 'goal', '']
console.log(
  formatTable(
    header,
    figures.map(({ subject, wholeMs, quartileMs, addedMs, ratio }) => [
      subject.name,
      subject.format,
      formatNumber(wholeMs),
      formatNumber(quartileMs),
      formatNumber(addedMs),
      formatNumber(ratio),
      subject.addedGoal === undefined
        ? formatGoal(subject.goal)
        : `${formatGoal(subject.addedGoal)} ms added`,
      subject.addedGoal === undefined
        ? formatVerdict(ratio, subject.goal)
        : formatVerdict(addedMs, subject.addedGoal),
    ]),
  ),
)
writeResult(command.json, {
  machine,
  lines: figures.map(({ subject, ratio, addedMs }) => ({
    section: 'Start-up',
    label: `${subject.name}, ${subject.format === 'esm' ? 'import' : 'require'}`,
    ...(subject.addedGoal === undefined
      ? { figure: ratio, unit: '× bare Node', goal: subject.goal }
      : { figure: addedMs, unit: 'ms added', goal: subject.addedGoal }),
  })),
  details: figures.map(({ subject, ...figure }) => ({
    name: subject.name,
    format: subject.format,
    ...figure,
  })),
})
