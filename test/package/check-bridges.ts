/**
 * Packs the package, installs it beside pino and winston, and logs through both bridges: from ESM and CommonJS, in the
 * default set-ups of node:test, jest and vitest. Run by `npm run test:bridges`, which builds first.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packPackage } from '../../scripts/pack-package.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'micromegas-bridges-'))

function run(title: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  process.stdout.write(`• ${title}\n`)
  return execFileSync(command, args, { cwd: project, encoding: 'utf8', env: { ...process.env, ...env } })
}

try {
  cpSync(join(root, 'test/package/bridges'), project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  const packages = [packPackage(project).path, 'pino', 'winston', 'jest', 'vitest']
  run('npm install', 'npm', ['install', '--no-audit', '--no-fund', ...packages])
  run('CommonJS', process.execPath, ['plain.cjs'])
  run('ESM', process.execPath, ['plain.mjs'])
  run('what cannot be a transport of pino says so', process.execPath, ['transport.mjs'])
  run('node:test', process.execPath, ['--test', 'node.test.cjs', 'node.test.mjs'])
  run('jest', 'npx', ['jest', 'jest.test.js'])
  const modules = { NODE_OPTIONS: '--experimental-vm-modules' }
  run('jest with ES modules', 'npx', ['jest', '--testMatch', '**/jest-esm.test.mjs'], modules)
  run('vitest', 'npx', ['vitest', 'run', 'vitest.test.mjs'])
  console.log('the bridges record in every set-up')
} finally {
  rmSync(project, { recursive: true, force: true })
}
