/** Runs the static checks of `npm test`, two at a time; what each says is shown when it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** The one that takes longest first. */
const CHECKS = ['typecheck', 'api:check', 'lint', 'lint:imports']
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

const waiting = [...CHECKS]
const passed: boolean[] = []
async function work(): Promise<void> {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift())
    passed.push(await run(check))
}
await Promise.all(Array.from({ length: AT_A_TIME }, work))
if (!passed.every(Boolean)) process.exitCode = 1
