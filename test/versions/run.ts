/**
 * Runs the test suite on other Node versions: `npm run test:versions [-- 22 24]`. The binaries come as registry packages
 * and are kept under node_modules/.cache. The build under test is the one in dist.
 *
 * The suite waits in real time, so a machine that pauses can fail one of its two thousand tests: the files of failed
 * tests are run once more by themselves. What fails twice fails the run; what passed the second time is named at the end.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeVersions as cache, canFetchNode, fetchNode } from '../support/fetch-node.ts'

/** The part of vitest's JSON report that is read here. */
interface Report {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[]
  }[]
}

/** What one run left: the files with failures, and a line for each failure. */
interface Failures {
  files: string[]
  lines: string[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const asked = process.argv.slice(2)
const majors = asked.length > 0 ? asked : ['22', '24', '26']

if (!canFetchNode) {
  console.error('test:versions needs Linux on x64, for which Node is published in the registry')
  process.exit(1)
}

const failed: string[] = []
const unsteady: string[] = []
for (const major of majors) {
  const node = fetchNode(major)
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`— Node ${version}`)
  const first = runTests(node, [])
  if (first === undefined) continue
  const again = runTests(node, first.files)
  if (again === undefined) unsteady.push(...first.lines.map((line) => `${version} ${line}`))
  else failed.push(...again.lines.map((line) => `${version} ${line}`))
}
if (unsteady.length > 0) console.log(`failed once and passed by themselves:\n  ${unsteady.join('\n  ')}`)
if (failed.length > 0) {
  console.error(`failed:\n  ${failed.join('\n  ')}`)
  process.exit(1)
}

/** Runs the given files, or all if there are none; undefined when everything passed. */
function runTests(node: string, files: string[]): Failures | undefined {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const outputFile = join(cache, 'report.json')
  rmSync(outputFile, { force: true })
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${outputFile}`]
  // The tests start child processes by process.execPath, which is this binary then.
  const result = spawnSync(node, [vitest, 'run', ...reporters, ...files], { cwd: root, stdio: 'inherit' })
  if (result.status === 0) return undefined
  if (!existsSync(outputFile))
    return { files: [], lines: [`vitest ended with ${result.status ?? result.signal}`] }
  const report: Report = JSON.parse(readFileSync(outputFile, 'utf8'))
  const failures: Failures = { files: [], lines: [] }
  for (const file of report.testResults.filter((each) => each.status === 'failed')) {
    const path = relative(root, file.name)
    failures.files.push(path)
    const tests = file.assertionResults.filter((each) => each.status === 'failed')
    for (const test of tests)
      failures.lines.push(`${path} > ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`)
    if (tests.length === 0) failures.lines.push(`${path}: ${firstLine(file.message)}`)
  }
  // An error outside of any test, such as an unhandled rejection, is in no file's result.
  if (failures.lines.length === 0) failures.lines.push(`vitest ended with ${result.status ?? result.signal}`)
  return failures
}

function firstLine(message = 'no message'): string {
  return message.split('\n', 1)[0] as string
}
