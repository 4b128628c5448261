import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collectProcessInfo, parseCpuInfo } from '../../src/telemetry/process-info.ts'

const OPTIONS = {
  processId: 'p',
  startTicks: 5n,
  startTimeMicros: 7n,
  parentProcessId: undefined,
  properties: {},
}

const SOURCE = JSON.stringify(new URL('../../src/telemetry/process-info.ts', import.meta.url).href)
const PROGRAM = `import { collectProcessInfo } from ${SOURCE}
const { exe, properties } = collectProcessInfo({ properties: {} })
console.log(JSON.stringify({ exe, version: properties.version }))`

/** Runs a program of its own that prints JSON. */
async function runNode(cwd: string, ...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), ...args],
    { cwd },
  )
  return JSON.parse(stdout)
}

test('describes this process and this machine', () => {
  const info = collectProcessInfo(OPTIONS)
  expect(info).toMatchObject({
    processId: 'p',
    startTicks: 5n,
    startTimeMicros: 7n,
    parentProcessId: undefined,
    tscFrequency: 1_000_000_000n,
    computer: os.hostname(),
  })
  expect(path.isAbsolute(info.exe)).toBe(true)
  for (const field of ['username', 'realname', 'distro', 'cpuBrand'] as const)
    expect(info[field]).not.toBe('')
  expect(info.properties).toMatchObject({
    exe: info.exe,
    username: info.username,
    realname: info.realname,
    computer: info.computer,
    distro: info.distro,
    cpu_brand: info.cpuBrand,
    logical_cpu_count: String(os.cpus().length),
    total_memory: String(os.totalmem()),
    node_version: process.version,
    pid: String(process.pid),
  })
})

test('exe and version given win over those of the main script', () => {
  const { exe, properties } = collectProcessInfo({ ...OPTIONS, exe: 'shop', version: '4.2.0' })
  expect([exe, properties.exe, properties.version]).toEqual(['shop', 'shop', '4.2.0'])
  const tagged = collectProcessInfo({ ...OPTIONS, exe: 'shop', version: '1', properties: { version: '2' } })
  expect([tagged.exe, tagged.properties.version]).toEqual(['shop', '2'])
})

test('properties given win over those found out', () => {
  const { properties, username } = collectProcessInfo({
    ...OPTIONS,
    parentProcessId: 'q',
    properties: { username: 'given', cluster: 'prod' },
  })
  expect(properties).toMatchObject({ username: 'given', cluster: 'prod' })
  expect(username).not.toBe('given')
})

describe('the program', () => {
  let directory: string
  beforeAll(async () => {
    directory = await realpath(await mkdtemp(path.join(os.tmpdir(), 'micromegas-process-')))
    await mkdir(path.join(directory, 'app/dist'), { recursive: true })
    await writeFile(path.join(directory, 'app/dist/main.mjs'), PROGRAM)
    await writeFile(path.join(directory, 'app/package.json'), '{ "version": "1.2.3" }')
    await writeFile(path.join(directory, 'app/dist/package.json'), '{ "type": "module" }')
  })
  afterAll(() => rm(directory, { recursive: true }))

  const run = async (...args: string[]) => {
    return (await runNode(directory, ...args)) as { exe: string; version?: string }
  }

  test('is named by its main script, its version comes from the nearest package.json that has one', async () => {
    expect(await run('app/dist/main.mjs')).toEqual({
      exe: path.join(directory, 'app/dist/main.mjs'),
      version: '1.2.3',
    })
  })

  test('started through a symbolic link has the version of what the link leads to', async () => {
    await mkdir(path.join(directory, 'bin'))
    await writeFile(path.join(directory, 'package.json'), '{ "version": "9.9.9" }')
    await symlink(path.join(directory, 'app/dist/main.mjs'), path.join(directory, 'bin/main.mjs'))
    expect((await run('bin/main.mjs')).version).toBe('1.2.3')
  })

  test('without a script is named by the executable and has no version', async () => {
    expect(await run('--input-type=module', '-e', PROGRAM, 'argument')).toEqual({ exe: process.execPath })
  })

  test('with a broken package.json still starts', async () => {
    await writeFile(path.join(directory, 'app/dist/package.json'), '{ "version": ')
    const { version } = await run('app/dist/main.mjs').finally(() =>
      writeFile(path.join(directory, 'app/dist/package.json'), '{}'),
    )
    expect(version).toBe('1.2.3')
  })
})

describe('processor descriptions', () => {
  test('of x86 count processors, and cores once for each socket', () => {
    const processor = (id: number, socket: number, core: number) =>
      `processor\t: ${id}\nmodel name\t: AMD EPYC 7B13\nphysical id\t: ${socket}\ncore id\t\t: ${core}\nflags\t\t: a: b\n\n`
    const text = [processor(0, 0, 0), processor(1, 0, 0), processor(2, 0, 1), processor(3, 1, 0)].join('')
    expect(parseCpuInfo(text)).toEqual({ brand: 'AMD EPYC 7B13', logicalCount: 4, physicalCount: 3 })
  })

  test('of ARM, which name neither a model nor cores, leave them out', () => {
    expect(parseCpuInfo('processor\t: 0\nBogoMIPS\t: 50.00\n\nprocessor\t: 1\n')).toEqual({
      brand: undefined,
      logicalCount: 2,
      physicalCount: undefined,
    })
  })

  test('that are empty say nothing', () => {
    expect(parseCpuInfo('')).toEqual({ brand: undefined, logicalCount: 0, physicalCount: undefined })
  })
})

test.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
  'a user id without an entry is shown as a number',
  async () => {
    const program = `process.setuid(54321)
      console.log(JSON.stringify(collectProcessInfo({ properties: {} }).properties))`
    const info = await runNode(
      '/',
      '--input-type=module',
      '-e',
      `import { collectProcessInfo } from ${SOURCE}\n${program}`,
    )
    expect(info).toMatchObject({ username: '54321', realname: '54321' })
  },
)
