/**
 * What installing the package brings: `npm run bench:footprint -- [--peers] [--json FILE]`. Packs the build in dist and
 * installs it, and with `--peers` other libraries, from the registry.
 */
import { readCommand, writeResult } from '../support/command.ts'
import { formatGoal, formatVerdict, type Goal } from '../support/goal.ts'
import { formatNumber, formatTable } from '../support/table.ts'
import { type InstallSize, inTemporaryFolder, measureInstall, packTarball } from './install-size.ts'

const PACKAGES_GOAL: Goal = { atMost: 15 }
const MEGABYTES_GOAL: Goal = { atMost: 12 }

const command = readCommand({ peers: 'boolean' })
const ours = inTemporaryFolder((folder) => measureInstall('micromegas', packTarball(folder)))
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
writeResult(command.json, { ours, peers })

function formatInstall(size: InstallSize): readonly string[] {
  const [packages, megabytes] = size === ours ? [PACKAGES_GOAL, MEGABYTES_GOAL] : []
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
