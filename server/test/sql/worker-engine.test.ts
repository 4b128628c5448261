import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBlock, decodeProcess, decodeStream } from 'micromegas/wire'
import { afterEach, expect, test } from 'vitest'
import type { QueryAudit, SqlEngine } from '../../src/sql/engine.ts'
import { LateEngine } from '../../src/sql/late-engine.ts'
import { LocalEngine } from '../../src/sql/local-engine.ts'
import { WorkerEngine } from '../../src/sql/worker/worker-engine.ts'
import { Store } from '../../src/store/store.ts'
import { StoreFeed } from '../../src/store-feed.ts'
import { ask } from './answers.ts'
import { TEST_OPTIONS } from './golden-engine.ts'
import { readRecording } from './recordings.ts'

const caller = { admin: false, user: 'alice' }
const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function openStore(): Promise<{ store: Store; dataDir: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'micromegas-sql-'))
  cleanups.push(() => rm(dataDir, { recursive: true, force: true }))
  const warn = (message: string): never => {
    throw new Error(message)
  }
  const store = await Store.open({
    dataDir,
    maxBytes: 1e9,
    fsync: false,
    wallClock: () => Date.parse('2026-11-25T23:50:00Z'),
    warn,
  })
  cleanups.push(() => store.close())
  return { store, dataDir }
}

async function insert(store: Store, name: string, from = 0, to = Number.POSITIVE_INFINITY): Promise<void> {
  for (const { insert: kind, body } of readRecording(name).slice(from, to)) {
    if (kind === 'process') await store.insertProcess(decodeProcess(body).processId, body)
    else if (kind === 'stream') await store.insertStream(decodeStream(body), body)
    else await store.insertBlock(decodeBlock(body), body)
  }
}

function open(store: Store, audit?: (audit: QueryAudit) => void): SqlEngine {
  const warn = (message: string): never => {
    throw new Error(message)
  }
  const feed = new StoreFeed(store)
  const engine = new LateEngine(
    async () => new WorkerEngine(feed, { ...TEST_OPTIONS, warn, audit }),
    () => feed.flush(),
  )
  feed.listen((change) => engine.notify(change))
  cleanups.push(() => engine.close())
  return engine
}

const count = async (engine: SqlEngine, table: string): Promise<unknown> =>
  (await ask(engine, { sql: `select count(*) from ${table}`, caller })).rows[0]![0]

test('the tables follow the store: what was stored before a question is in its answer, what was deleted is not', async () => {
  const { store } = await openStore()
  const lines: QueryAudit[] = []
  const engine = open(store, (line) => lines.push(line))
  expect(await count(engine, 'log_entries')).toBe('0')
  await insert(store, 'shop')
  expect(await count(engine, 'log_entries')).toBe('395')
  await insert(store, 'node')
  expect(await count(engine, 'log_entries')).toBe('466')
  await store.deleteProcess('c42686dd-864d-48fb-9cc6-3da9d8231f1d')
  expect(await count(engine, 'log_entries')).toBe('398')
  expect(await count(engine, 'processes')).toBe('2')
  await expect(ask(engine, { sql: 'select nope', caller })).rejects.toMatchObject({ line: 1, column: 8 })
  await engine.close()
  const lastTwo = lines.slice(-2)
  expect(lastTwo).toMatchObject([
    { user: 'alice', rows: 1, error: undefined, sql: 'select count(*) from processes' },
    { user: 'alice', rows: 0, error: 'INVALID_ARGUMENT' },
  ])
  await expect(engine.query({ sql: 'select 1', caller })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('the database is a cache: read again by the next server, made anew when it is gone or of another version', async () => {
  const { store, dataDir } = await openStore()
  await insert(store, 'shop')
  const databasePath = join(dataDir, 'tables.duckdb')
  const warnings: string[] = []
  const openLocal = (): Promise<LocalEngine> =>
    LocalEngine.open(
      new StoreFeed(store),
      { ...TEST_OPTIONS, databasePath, warn: (message) => warnings.push(message) },
      () => rm(databasePath, { force: true }),
    )
  const countOnce = async (): Promise<unknown> => {
    const engine = await openLocal()
    try {
      return await count(engine, 'log_entries')
    } finally {
      await engine.close()
    }
  }
  expect(await countOnce()).toBe('395')
  expect(await readdir(dataDir)).toContain('tables.duckdb')
  await insert(store, 'node')
  expect(await countOnce()).toBe('466')
  await rm(databasePath)
  expect(await countOnce()).toBe('466')
  expect(warnings).toEqual([])
  await writeFile(databasePath, 'damaged')
  expect(await countOnce()).toBe('466')
  expect(warnings).toMatchObject([expect.stringMatching(/^Cannot open .*: .*; it is made anew$/s)])
})

test('a query is stopped when its signal is aborted or its reader leaves, and leaves its place to others', async () => {
  const { store } = await openStore()
  const engine = open(store)
  const endless = 'select count(*) from range(1, 100000000000) a(x) where x % 7 = 3'
  const aborts = [1, 2, 3].map(async () => {
    const abort = new AbortController()
    const answer = ask(engine, { sql: endless, caller, signal: abort.signal })
    setTimeout(() => abort.abort(), 300)
    await expect(answer).rejects.toMatchObject({ code: 'CANCELLED' })
  })
  await Promise.all(aborts)
  for (let i = 0; i < 3; i++) {
    const { batches } = await engine.query({ sql: 'select value from generate_series(1, 100000000)', caller })
    for await (const { rowCount } of batches) {
      expect(rowCount).toBeGreaterThan(0)
      break
    }
  }
  expect((await ask(engine, { sql: 'select 1', caller })).rows).toEqual([['1']])
})
