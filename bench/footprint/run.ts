/**
 * What installing the package brings: `npm run bench:footprint -- [--peers] [--json FILE]`. Packs the build in dist and
 * installs it, and with `--peers` other libraries, from the registry.
 */

import { packPackage } from '../../scripts/pack-package.ts'
import { printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatGoal, formatVerdict, type Goal } from '../support/goal.ts'
import { formatNumber, formatTable } from '../support/table.ts'
import { type InstallSize, inTemporaryFolder, measureInstall } from './install-size.ts'

const PACKAGES_GOAL: Goal = { atMost: 8 }
const MEGABYTES_GOAL: Goal = { atMost: 5 }

const command = readCommand({ peers: 'boolean' })
const machine = printTitle('What an install brings', command.node)
const ours = inTemporaryFolder((folder) => measureInstall('micromegas', packPackage(folder).path))
const peers =
  command.values.peers === true
    ? [
        measureInstall('pino', 'pino'),
        measureInstall('winston', 'winston'),
        measureInstall('@opentelemetry/sdk-node', '@opentelemetry/sdk-node', '@opentelemetry/api'),
      ]
    : []

const header = ['', 'packages', 'goal', '', 'MB', 'goal', '']
console.log(formatTable(header, [ours, ...peers].map(formatInstall)))
console.log(`\n${formatTable(['the tree of micromegas', 'MB'], ours.tree.map(formatPackage))}`)
writeResult(command.json, {
  machine,
  lines: [ours, ...peers].flatMap((size) => {
    const [packages, megabytes] = goalsOf(size)
    const line = { section: 'Install', label: `${size.name} ${size.version}` }
    return [
      { ...line, figure: size.packages, unit: 'packages', goal: packages },
      { ...line, figure: size.megabytes, unit: 'MB', goal: megabytes },
    ]
  }),
  details: { ours, peers },
})

function goalsOf(size: InstallSize): readonly [packages?: Goal, megabytes?: Goal] {
  return size === ours ? [PACKAGES_GOAL, MEGABYTES_GOAL] : []
}

function formatInstall(size: InstallSize): readonly string[] {
  const [packages, megabytes] = goalsOf(size)
  return [
    `${size.name} ${size.version}`,
    String(size.packages),
    formatGoal(packages),
    formatVerdict(size.packages, packages),
    formatNumber(size.megabytes),
    formatGoal(megabytes),
    formatVerdict(size.megabytes, megabytes),
  ]
}

function formatPackage({ name, version, megabytes }: InstallSize['tree'][number]): readonly string[] {
  return [`${name} ${version}`, formatNumber(megabytes)]
}
