import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { platformClock } from '../../../src/model/runtime/clock.ts'
import { type AdoptedFile, SpoolDirectory } from '../../../src/sink/spool/spool-directory.ts'
import { isOwnerAlive, LOCK_STALE_MS, parseOwner, thisOwner } from '../../../src/sink/spool/spool-lock.ts'
import { until } from '../../support/until.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'spool-test-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const open = (): SpoolDirectory => new SpoolDirectory(root, platformClock)

async function adopt(directory: SpoolDirectory): Promise<AdoptedFile[]> {
  const files: AdoptedFile[] = []
  for await (const file of directory.adopt()) files.push(file)
  return files.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Files below the spool directory that are no locks. */
function files(): string[] {
  return (readdirSync(root, { recursive: true }) as string[]).filter(
    (name) => statSync(join(root, name)).isFile() && basename(name) !== 'lock',
  )
}

/** A directory that a process which is gone left, with its lock. */
function leave(count: number): string {
  const left = join(root, 'session-x')
  mkdirSync(left)
  writeFileSync(join(left, 'lock'), JSON.stringify({ ...thisOwner(platformClock), startedAt: 1 }))
  for (let i = 0; i < count; i++) writeFileSync(join(left, `file-${String(i).padStart(2, '0')}`), 'x')
  return left
}

test('the owner of a lock is known to be dead by its process, or by the age of the lock', async () => {
  const here = thisOwner(platformClock)
  const alive = (change: Partial<typeof here>, ageMs = 0): boolean =>
    isOwnerAlive({ ...here, ...change }, ageMs, platformClock)
  const child = spawn(process.execPath, ['--eval', ''])
  const pid = child.pid!
  await once(child, 'exit')
  const elsewhere = { pid, space: 'another host' }
  expect(alive({})).toBe(true)
  expect(alive({ startedAt: here.startedAt - 100 })).toBe(false) // an earlier process of our id
  expect(alive({ pid })).toBe(false)
  expect(alive({ pid: process.ppid })).toBe(true)
  expect(alive(elsewhere)).toBe(true)
  expect(alive(elsewhere, LOCK_STALE_MS)).toBe(true)
  expect(alive(elsewhere, LOCK_STALE_MS + 1)).toBe(false)
  expect(isOwnerAlive(undefined, 0, platformClock)).toBe(true)
  expect(alive({}, LOCK_STALE_MS + 1)).toBe(false)
})

test.each([
  '',
  'null',
  '{}',
  '{"pid":1}',
  '{"space":"x","pid":-1,"startedAt":1}',
  '{"space":"x","pid":"1","startedAt":1}',
  '{"spa',
])('the text %s is no lock', (text) => {
  expect(parseOwner(text)).toBeUndefined()
})

test('two live sinks on one directory keep apart, and what one gives up the other takes over whole', async () => {
  const first = open()
  const second = open()
  await first.write('a', Buffer.from('1'))
  await second.write('b', Buffer.from('22'))
  expect(await adopt(second)).toEqual([])
  expect(await adopt(first)).toEqual([])
  first.close()
  expect(await adopt(second)).toEqual([{ name: 'a', size: 1 }])
  expect(await second.read('a')).toEqual(Buffer.from('1'))
  second.remove('a')
  second.remove('b')
  await until(() => files().length === 0)
  second.close()
  expect(readdirSync(root)).toEqual([])
})

test('a directory left without a word is taken over by exactly one of many', async () => {
  const left = leave(20)
  writeFileSync(join(left, 'cut.tmp'), 'x')
  const adopted = await Promise.all(Array.from({ length: 5 }, () => adopt(open())))
  expect(adopted.map(({ length }) => length).sort()).toEqual([0, 0, 0, 0, 20])
  expect(files()).toHaveLength(20)
})

test('a sink that is closed in the middle of taking over stops, and the next one finds the rest at once', async () => {
  leave(20)
  const first = open()
  const taken: string[] = []
  for await (const { name } of first.adopt()) {
    taken.push(name)
    if (taken.length === 5) first.close()
  }
  expect(taken).toHaveLength(5)
  expect(readdirSync(root).some((name) => name.startsWith('taking-'))).toBe(true)
  const second = open()
  expect(await adopt(second)).toHaveLength(20)
  second.close()
  expect(readdirSync(root).filter((name) => !name.startsWith('session-'))).toEqual([])
})

test('a takeover that its process did not live to finish is finished by the next one at once', async () => {
  const left = leave(3)
  const cut = join(root, 'taking-b4a0e4b4-0000-4000-8000-000000000000-c4a0e4b4-0000-4000-8000-000000000000')
  renameSync(left, cut)
  const taker = join(root, 'session-b4a0e4b4-0000-4000-8000-000000000000')
  mkdirSync(taker)
  renameSync(join(cut, 'file-00'), join(taker, 'file-00'))
  const lock = join(taker, 'lock')
  writeFileSync(lock, JSON.stringify(thisOwner(platformClock)))
  const directory = open()
  expect(await adopt(directory)).toEqual([]) // it is at it
  writeFileSync(lock, JSON.stringify({ ...thisOwner(platformClock), startedAt: 1 }))
  expect((await adopt(directory)).map(({ name }) => name)).toEqual(['file-00', 'file-01', 'file-02'])
})

test('a takeover that failed half way is gone on with the next time, and what was taken is kept', async () => {
  leave(3)
  const directory = open()
  await directory.write('own', Buffer.from('1'))
  const session = readdirSync(root).find((name) => name.startsWith('session-') && name !== 'session-x')!
  mkdirSync(join(root, session, 'file-01')) // a file cannot be renamed to the name of a directory
  const taken: string[] = []
  await expect(async () => {
    for await (const { name } of directory.adopt()) taken.push(name)
  }).rejects.toThrow('EISDIR')
  expect(taken).toEqual(['file-00'])
  rmSync(join(root, session, 'file-01'), { recursive: true })
  expect((await adopt(directory)).map(({ name }) => name)).toEqual(['file-01', 'file-02'])
})

test('while one takeover is under way another one gets nothing', async () => {
  leave(5)
  const directory = open()
  const first = adopt(directory)
  expect(await adopt(directory)).toEqual([])
  expect(await first).toHaveLength(5)
})

test('a directory that its process did not live to finish goes after a minute; what is of others stays', async () => {
  mkdirSync(join(root, 'new-x'))
  writeFileSync(join(root, 'of the operator.txt'), 'x')
  const directory = open()
  expect(await adopt(directory)).toEqual([])
  expect(readdirSync(root)).toContain('new-x')
  const old = new Date(Date.now() - LOCK_STALE_MS - 1_000)
  utimesSync(join(root, 'new-x'), old, old)
  expect(await adopt(directory)).toEqual([])
  directory.close()
  expect(readdirSync(root)).toEqual(['of the operator.txt'])
})
