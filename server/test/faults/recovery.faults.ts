import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runFile } from '../support/child.ts'
import { insert, post, startServer, temporaryDirectory } from '../support/server.ts'
import { logBlock, processBody, process as processInfo, stream, streamBody } from '../support/telemetry.ts'

/** How long the server is loaded, killed and started again: ten minutes before a release. */
const LOAD_SECONDS = Number(process.env.SERVER_FAULTS_SECONDS ?? 45)
const EVENTS = 50
const LANES = 4
const owner = processInfo()
const log = stream(owner, 'log')

/** Blocks of {@link EVENTS} logs, each with a text of its own. */
function block(number: number): { readonly blockId: string; readonly body: Uint8Array } {
  const logs = Array.from({ length: EVENTS }, (_, i) => ({
    at: number * EVENTS + i + 1,
    message: `block ${number} event ${i}`,
  }))
  return logBlock(owner, log, logs)
}

async function introduce(url: string): Promise<void> {
  await insert({ url }, 'process', processBody(owner))
  await insert({ url }, 'stream', streamBody(log))
}

type Server = Awaited<ReturnType<typeof startServer>>

/** That every answered block is there, once, with all of its events; others may be there too, as whole. */
async function expectBlocks(server: Server, answered: readonly string[]): Promise<void> {
  const blocks = await server.query('SELECT block_id FROM blocks')
  const stored = new Set(blocks.map(({ block_id }) => String(block_id)))
  expect(stored.size).toBe(blocks.length)
  expect(answered.filter((id) => !stored.has(id))).toEqual([])
  const [counts] = await server.query(
    'SELECT count(*) AS events, count(DISTINCT msg) AS texts, count(DISTINCT block_id) AS blocks FROM log_entries',
  )
  const events = BigInt(stored.size * EVENTS)
  expect(counts).toEqual({ events, texts: events, blocks: BigInt(stored.size) })
}

test(
  'killed and stopped again and again while it stores, decodes and answers, it loses no answered block',
  async () => {
    await using directory = await temporaryDirectory()
    const answered: string[] = []
    let number = 0
    const until = Date.now() + LOAD_SECONDS * 1000
    for (let round = 0; Date.now() < until; round++) {
      await using child = runFile('server/test/support/crash-server.ts', [directory.path])
      const [url = ''] = await child.waitFor(/http:\/\/\S+/)
      await introduce(url)
      let ends = false
      const upload = async (): Promise<void> => {
        while (!ends) {
          const { blockId, body } = block(number++)
          const answer = await post({ url }, 'block', body).catch(() => undefined)
          if (answer?.status === 200) answered.push(blockId)
        }
      }
      const ask = async (): Promise<void> => {
        while (!ends) {
          const body = JSON.stringify({ sql: 'SELECT level, count(*) AS n FROM log_entries GROUP BY level' })
          const headers = { 'content-type': 'application/json' }
          await fetch(`${url}/gateway/query`, { method: 'POST', body, headers })
            .then((response) => response.text())
            .catch(() => undefined)
          await delay(20)
        }
      }
      const working = [...Array.from({ length: LANES }, upload), ask()]
      // From the first answer on, at ever other moments; now and then it stands still before.
      await delay(50 + ((round * 397) % 1900))
      if (round % 3 === 2) {
        child.process.kill('SIGSTOP')
        await delay(300)
      }
      child.process.kill('SIGKILL')
      await child.exit()
      ends = true
      await Promise.all(working)
    }
    expect(answered.length).toBeGreaterThan(LOAD_SECONDS)
    await using server = await startServer({ dataDir: directory.path, port: 0, flightPort: 0 })
    await expectBlocks(server, answered)
    expect(server.reasons()).toEqual([])
  },
  (LOAD_SECONDS + 240) * 1000,
)

test('ten thousand damaged blocks are set aside, and the others are read', async () => {
  const DAMAGED = 10_000
  await using directory = await temporaryDirectory()
  const ids: string[] = []
  {
    await using server = await startServer({ dataDir: directory.path })
    await introduce(server.url)
    let next = 0
    const upload = async (): Promise<void> => {
      while (next < DAMAGED + 20) {
        const { blockId, body } = block(next++)
        const answer = await post(server, 'block', body)
        expect(answer.status).toBe(200)
        ids.push(blockId)
      }
    }
    await Promise.all(Array.from({ length: 8 }, upload))
  }
  const whole = new Set(ids.slice(0, 20))
  const folder = join(directory.path, 'blocks')
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  let damaged = 0
  for (const { name, parentPath } of files) {
    if (whole.has(name)) continue
    const path = join(parentPath, name)
    const bytes = await readFile(path)
    bytes[bytes.length - 1 - (damaged++ % 40)]! ^= 1
    await writeFile(path, bytes)
  }
  expect(damaged).toBe(DAMAGED)
  await rm(join(directory.path, 'cache'), { recursive: true, force: true })
  await using server = await startServer({ dataDir: directory.path, port: 0, flightPort: 0 })
  const [counts] = await server.query('SELECT count(*) AS events FROM log_entries')
  expect(counts).toEqual({ events: BigInt(20 * EVENTS) })
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
  // And takes blocks as before.
  const { body } = block(1_000_000)
  expect((await post(server, 'block', body)).status).toBe(200)
  const [more] = await server.query('SELECT count(*) AS events FROM log_entries')
  expect(more).toEqual({ events: BigInt(21 * EVENTS) })
})

test('on a full disk blocks are refused, to be sent again; once there is room, it goes on', async (context) => {
  await using directory = await temporaryDirectory()
  const disk = join(directory.path, 'disk')
  await mkdir(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return context.skip('only root can make a small disk')
  }
  try {
    const answered: string[] = []
    {
      await using server = await startServer({ dataDir: disk, port: 0, flightPort: 0 })
      await introduce(server.url)
      const ballast = join(disk, 'ballast')
      await writeFile(ballast, Buffer.alloc(10 * 1024 * 1024))
      const refused: { readonly blockId: string; readonly body: Uint8Array }[] = []
      for (let number = 0; refused.length < 5; number++) {
        const sent = block(number)
        const answer = await post(server, 'block', sent.body)
        if (answer.status === 200) answered.push(sent.blockId)
        else {
          expect(answer.status).toBe(503)
          refused.push(sent)
        }
      }
      expect(server.reasons()[0]).toMatch(/^cannot write: ENOSPC: no space left on device/)
      expect((await fetch(`${server.url}/health`)).status).toBe(200)
      await rm(ballast)
      for (const { blockId, body } of refused) {
        expect((await post(server, 'block', body)).status).toBe(200)
        answered.push(blockId)
      }
      await expectBlocks(server, answered)
    }
    await using server = await startServer({ dataDir: disk, port: 0, flightPort: 0 })
    await expectBlocks(server, answered)
  } finally {
    execFileSync('umount', [disk])
  }
})
