/**
 * Runs the packed package as others run theirs: bundled by esbuild, rollup, webpack and ncc and moved to where nothing is
 * installed, in the default set-ups of jest, vitest, node:test and mocha, in Bun and in Deno. After each end of a process
 * every event has to be on a real server. Run by `npm run test:bundlers`; docs/bundlers.md has what it shows.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from 'micromegas-server'
import { prepareFolder, runnable } from './tools.ts'

const EVENTS = 20_000
/** How a program ends, and the exit code that it has then. */
const ENDS = { return: 0, exit: 3, throw: 1 } as const
type End = keyof typeof ENDS

interface Counts {
  readonly log: number
  readonly metrics: number
}

const folder = prepareFolder()
const failures: string[] = []
await using server = await startServer({ port: 0, temporary: true, disableAuth: true })

/** Not `spawnSync`: the server is in this process. */
async function run(
  command: string,
  args: readonly string[],
  cwd = folder,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(command, args, {
    cwd,
    timeout: 120_000,
    env: { ...process.env, MICROMEGAS_TELEMETRY_URL: server.url, NODE_OPTIONS: '', NODE_ENV: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const [code] = await once(child, 'close')
  return { code, output }
}

const tool = (name: string): string => join(folder, 'node_modules/.bin', name)

function report(title: string, problem: string | undefined): void {
  console.log(`${problem === undefined ? '✓' : '✗'} ${title}${problem === undefined ? '' : `: ${problem}`}`)
  if (problem !== undefined) failures.push(title)
}

/** What the server has of each process, by its id. */
async function counts(): Promise<Map<string, Counts>> {
  const get = async <T>(path: string): Promise<T> =>
    (await fetch(`${server.url}${path}`)).json() as Promise<T>
  const { rows } = await get<{ rows: { process_id: string }[] }>('/api/processes')
  const found = new Map<string, Counts>()
  for (const { process_id: id } of rows) {
    const { streams } = await get<{ streams: { tags: string[]; events: number }[] }>(`/api/processes/${id}`)
    const of = (tag: string): number =>
      streams.filter(({ tags }) => tags[0] === tag).reduce((sum, { events }) => sum + events, 0)
    found.set(id, { log: of('log'), metrics: of('metrics') - (await accountOf(id)) })
  }
  return found
}

/** Metrics that the process's account of itself is made of. */
async function accountOf(processId: string): Promise<number> {
  const response = await fetch(
    `${server.url}/api/measures?process_id=${processId}&target=micromegas&limit=1000`,
  )
  return ((await response.json()) as { rows: unknown[] }).rows.length
}

/** Runs a program to each of its ends, and counts what has arrived of it. */
async function ends(
  title: string,
  command: string,
  args: readonly string[],
  only?: readonly End[],
): Promise<void> {
  for (const end of only ?? (Object.keys(ENDS) as End[])) {
    const before = await counts()
    const { code, output } = await run(command, [...args, end])
    const arrived = [...(await counts())].filter(([id]) => !before.has(id)).map(([, count]) => count)
    // An error that ends the process is a log more.
    const expected = JSON.stringify([{ log: EVENTS + (end === 'throw' ? 1 : 0), metrics: EVENTS }])
    const found = JSON.stringify(arrived)
    if (code !== ENDS[end]) report(`${title}, ${end}`, `exit code ${code}\n${output}`)
    else report(`${title}, ${end}`, found === expected ? undefined : `${found} arrived\n${output}`)
  }
}

async function build(title: string, command: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(command, args)
  const warned = /warning|critical dependency/i.test(output)
  report(`${title} builds`, code === 0 && !warned ? undefined : output)
}

const esbuild = ['--bundle', '--platform=node', '--log-level=warning']
await build('esbuild, ESM', tool('esbuild'), ['app.mjs', ...esbuild, '--format=esm', '--outfile=out/esm.mjs'])
await build('esbuild, ESM, minified', tool('esbuild'), [
  'app.mjs',
  ...esbuild,
  '--format=esm',
  '--minify',
  '--outfile=out/esm-min.mjs',
])
await build('esbuild, CommonJS', tool('esbuild'), [
  'app.cjs',
  ...esbuild,
  '--format=cjs',
  '--outfile=out/cjs.cjs',
])
await build('esbuild, CommonJS, minified', tool('esbuild'), [
  'app.mjs',
  ...esbuild,
  '--format=cjs',
  '--minify',
  '--outfile=out/cjs-min.cjs',
])
await build('rollup', tool('rollup'), ['--config', 'rollup.config.mjs', '--silent'])
await build('webpack', tool('webpack'), ['--config', 'webpack.config.cjs', '--stats=errors-warnings'])
await build('ncc', tool('ncc'), ['build', 'app.mjs', '--out', 'out/ncc', '--quiet'])
await build('ncc, CommonJS', tool('ncc'), ['build', 'app.cjs', '--out', 'out/ncc-cjs', '--quiet'])

const elsewhere = mkdtempSync(join(tmpdir(), 'micromegas-bundles-'))
try {
  cpSync(join(folder, 'out'), elsewhere, { recursive: true })
  for (const entry of readdirSync(elsewhere, { withFileTypes: true })) {
    const path = join(elsewhere, entry.name)
    const file = entry.isFile()
      ? path
      : join(path, readdirSync(path).find((name) => /^(app|index)\./.test(name))!)
    await ends(entry.name, process.execPath, [file])
  }
} finally {
  rmSync(elsewhere, { recursive: true, force: true })
}

const bun = runnable(folder, ['@oven/bun-linux-x64/bin/bun', 'bun/bin/bun.exe'])
if (bun === undefined) console.log('- Bun is not there for this platform')
else for (const file of ['app.mjs', 'app.cjs']) await ends(`Bun, ${file}`, bun, [file])

// Deno tells nobody of an error that ends the process.
const deno = runnable(folder, ['@deno/linux-x64-glibc/deno', 'deno/deno'])
if (deno === undefined) console.log('- Deno is not there for this platform')
else await ends('Deno', deno, ['run', '--allow-all', 'app.mjs'], ['return', 'exit'])

async function suite(title: string, command: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, output } = await run(command, args, join(folder, cwd))
  report(title, code === 0 ? undefined : output)
}

await suite('jest', tool('jest'), ['--ci'], 'jest')
await suite('vitest', tool('vitest'), ['run'], 'vitest')
await suite('mocha', tool('mocha'), ['delivery.cjs'], 'mocha')
await suite('node:test', process.execPath, ['--test'], 'node-test')
rmSync(folder, { recursive: true, force: true })

if (failures.length > 0) {
  console.error(`failed:\n  ${failures.join('\n  ')}`)
  process.exitCode = 1
}
