/** Builds, and runs the static checks of `npm test`, two at a time; what each says is shown when it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** What needs the build comes after it; the one that takes longest first. */
const STAGES = [
  ['build', 'lint'],
  ['api:check', 'reference:check', 'typecheck', 'lint:imports'],
]
const AT_A_TIME = 2

async function run(check: string): Promise<boolean> {
  const child = spawn(`npm run --silent ${check}`, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  process.stdout.write(Buffer.concat(output))
  if (code !== 0) console.error(`npm run ${check} failed`)
  return code === 0
}

async function runAll(checks: readonly string[]): Promise<boolean> {
  const waiting = [...checks]
  const passed: boolean[] = []
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift())
      passed.push(await run(check))
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return passed.every(Boolean)
}

for (const checks of STAGES) {
  if (await runAll(checks)) continue
  process.exitCode = 1
  break
}
