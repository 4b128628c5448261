import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lockDataDir } from '../../src/store/data-dir-lock.ts'
import { runFile } from '../support/child.ts'
import { insert, insertBlocks, post, send, startServer, temporaryDirectory } from '../support/server.ts'
import { logBlock, processBody, process as processInfo, stream, streamBody } from '../support/telemetry.ts'

/** A process with a log stream and so many blocks of one entry each. */
function telemetry(blocks: number, message = 'm') {
  const owner = processInfo()
  const log = stream(owner, 'log')
  return {
    owner,
    log,
    blocks: Array.from({ length: blocks }, (_, i) =>
      logBlock(owner, log, [{ at: i + 1, message: `${message}${i}` }]),
    ),
  }
}

describe('a restart', () => {
  test('finds everything again, in the same order, and still knows every id', async () => {
    await using directory = await temporaryDirectory()
    const { owner, log, blocks } = telemetry(30)
    const first = await startServer({ dataDir: directory.path })
    await insert(first, 'process', processBody(owner))
    await insert(first, 'stream', streamBody(log))
    await insertBlocks(first, ...blocks)
    const before = await first.reader.logEntries()
    await first.close()

    await using second = await startServer({ dataDir: directory.path })
    expect(await second.reader.logEntries()).toEqual(before)
    await insert(second, 'process', processBody({ ...owner, exe: 'changed' }))
    await insertBlocks(second, ...blocks)
    expect(second.events.map(({ type }) => type)).toEqual(Array(31).fill('duplicate'))
    expect((await second.reader.processes()).rows.map(({ exe }) => exe)).toEqual([owner.exe])
  })

  test('after kill -9 in the middle of uploads has every block that was answered with 200', async () => {
    await using directory = await temporaryDirectory()
    await using child = runFile('server/test/support/crash-server.ts', [directory.path])
    const [url = ''] = await child.waitFor(/http:\/\/\S+/)
    const { owner, log, blocks } = telemetry(400)
    await insert({ url }, 'process', processBody(owner))
    await insert({ url }, 'stream', streamBody(log))
    const acknowledged: string[] = []
    const uploads = Array.from({ length: 8 }, async (_, lane) => {
      for (let i = lane; i < blocks.length; i += 8) {
        const { blockId, body } = blocks[i]!
        const answer = await post({ url }, 'block', body).catch(() => undefined)
        if (answer?.status === 200) acknowledged.push(blockId)
        if (acknowledged.length === 100) child.process.kill('SIGKILL')
        if (answer === undefined) return
      }
    })
    await Promise.all(uploads)
    expect((await child.exit()).signal).toBe('SIGKILL')
    expect(acknowledged.length).toBeGreaterThanOrEqual(100)
    expect(acknowledged.length).toBeLessThan(400)

    await using server = await startServer({ dataDir: directory.path })
    const { rows } = await server.reader.logEntries({ limit: 1000 })
    expect(rows.map(({ blockId }) => blockId)).toEqual(expect.arrayContaining(acknowledged))
    expect(await readdir(join(directory.path, 'tmp'))).toEqual([])
    expect(server.reasons()).toEqual([])
  })
})

describe('damaged files', () => {
  async function stored(directory: string) {
    const { owner, log, blocks } = telemetry(4)
    await using server = await startServer({ dataDir: directory })
    await insert(server, 'process', processBody(owner))
    await insert(server, 'stream', streamBody(log))
    await insertBlocks(server, ...blocks)
    return { owner, log, blocks, paths: blocks.map(({ blockId }) => blockPath(directory, blockId)) }
  }

  test('cut short, emptied, overwritten or of another id are set aside at start, the rest is read', async () => {
    await using directory = await temporaryDirectory()
    const { blocks, paths } = await stored(directory.path)
    await truncate(paths[0]!, (await stat(paths[0]!)).size - 1)
    await truncate(paths[1]!, 0)
    await writeFile(paths[2]!, Buffer.alloc(500))
    await cp(paths[3]!, join(paths[3]!, '..', `${blocks[3]!.blockId.slice(0, 2)}${randomUUID().slice(2)}`))
    await writeFile(join(directory.path, 'blocks', 'README'), 'no block')

    await using server = await startServer({ dataDir: directory.path })
    expect((await server.reader.logEntries()).rows.map(({ msg }) => msg)).toEqual(['m3'])
    expect(await readdir(join(directory.path, 'damaged'))).toHaveLength(4)
    expect(server.reasons().filter((reason) => reason.includes('damaged on disk'))).toHaveLength(4)
    // Their ids are free again.
    await insertBlocks(server, ...blocks)
    expect((await server.reader.logEntries()).rows).toHaveLength(4)
  })

  test('with a changed byte are found when they are read', async () => {
    await using directory = await temporaryDirectory()
    const { paths } = await stored(directory.path)
    await using server = await startServer({ dataDir: directory.path })
    const bytes = await readFile(paths[0]!)
    bytes[bytes.length - 3]! ^= 1
    await writeFile(paths[0]!, bytes)
    expect((await server.reader.logEntries()).rows).toHaveLength(3)
    expect(server.reasons()[0]).toContain('its checksum does not match')
    expect(await readdir(join(directory.path, 'damaged'))).toHaveLength(1)
  })

  test('with a changed byte anywhere in the header are found at the start', async () => {
    await using directory = await temporaryDirectory()
    const { paths } = await stored(directory.path)
    const whole = await readFile(paths[0]!)
    const end = whole.indexOf(10)
    expect(end).toBeGreaterThan(200)
    // A digit more or less keeps the JSON what it was; so do other bytes of the ids.
    for (let at = 0; at <= end; at += 7) {
      await using copy = await temporaryDirectory()
      await cp(directory.path, copy.path, { recursive: true })
      const bytes = Buffer.from(whole)
      bytes[at]! ^= 1
      await writeFile(paths[0]!.replace(directory.path, copy.path), bytes)
      await using server = await startServer({ dataDir: copy.path, checkBlocks: false })
      expect([at, (await readdir(join(copy.path, 'damaged'))).length]).toEqual([at, 1])
      expect(server.reasons()).toHaveLength(1)
    }
  })

  test('of the first format, which has no checksum of its header, are read; impossible times are damage', async () => {
    await using directory = await temporaryDirectory()
    const { paths } = await stored(directory.path)
    for (const [i, path] of paths.entries()) {
      const bytes = await readFile(path)
      const end = bytes.indexOf(10)
      const line = bytes
        .subarray(0, end - 9)
        .toString()
        .replace('"format":2', '"format":1')
      const insertTime = [/(?<=insert_time_ms":)\d+/, String(2 ** 53 - 1)] as const
      const beginTime = [/(?<=begin_time_us":")\d+/, '9'.repeat(19)] as const
      const changed = i === 0 ? line.replace(...beginTime) : line.replace(...insertTime)
      await writeFile(path, Buffer.concat([Buffer.from(`${changed}\n`), bytes.subarray(end + 1)]))
    }
    await using server = await startServer({ dataDir: directory.path })
    expect((await server.reader.logEntries()).rows.map(({ msg }) => msg)).toEqual(['m0'])
    expect(await readdir(join(directory.path, 'damaged'))).toHaveLength(3)
    for (const route of ['processes', 'blocks', 'log_entries'])
      expect((await send(server.url, `/api/${route}`)).status).toBe(200)
  })

  test.skipIf(process.platform === 'win32')('and what is no file at all: nothing waits for it', async () => {
    await using directory = await temporaryDirectory()
    const { blocks, paths } = await stored(directory.path)
    for (const path of paths.slice(0, 3)) await rm(path)
    execFileSync('mkfifo', [paths[0]!])
    execFileSync('mkfifo', [join(directory.path, 'blocks', 'README')])
    if (!(await readdir(join(directory.path, 'blocks'))).includes('ff'))
      execFileSync('mkfifo', [join(directory.path, 'blocks', 'ff')])
    await mkdir(paths[1]!)
    await symlink('/dev/zero', paths[2]!)
    await using server = await startServer({ dataDir: directory.path })
    expect((await server.reader.logEntries()).rows.map(({ msg }) => msg)).toEqual(['m3'])
    expect(
      server.reasons().filter((reason) => reason.includes('it is a folder, a FIFO or a device')),
    ).toHaveLength(3)
    // Their ids are free again.
    await insertBlocks(server, ...blocks)
    expect((await server.reader.logEntries()).rows).toHaveLength(4)
    // One that comes later holds up no reader either.
    await rm(paths[3]!)
    execFileSync('mkfifo', [paths[3]!])
    expect((await server.reader.logEntries()).rows).toHaveLength(3)
  })

  test('of processes and streams do not keep the server from starting', async () => {
    await using directory = await temporaryDirectory()
    const { owner, log } = await stored(directory.path)
    await truncate(join(directory.path, 'streams', log.streamId), 20)
    await truncate(join(directory.path, 'processes', owner.processId), 0)
    await using server = await startServer({ dataDir: directory.path })
    expect((await server.reader.logEntries()).rows).toEqual([])
    await insert(server, 'process', processBody(owner))
    await insert(server, 'stream', streamBody(log))
    expect((await server.reader.logEntries()).rows).toHaveLength(4)
  })
})

test('a question ends with the one who asked: what was not read by then is not read', async () => {
  await using directory = await temporaryDirectory()
  const { owner, log, blocks } = telemetry(1_500)
  const first = await startServer({ dataDir: directory.path, checkBlocks: false })
  await insert(first, 'process', processBody(owner))
  await insert(first, 'stream', streamBody(log))
  await Promise.all(
    [0, 1, 2, 3].map((lane) => insertBlocks(first, ...blocks.filter((_, i) => i % 4 === lane))),
  )
  await first.close()
  // Whatever is read is found damaged and set aside: the files that are left were not.
  for (const { blockId } of blocks) {
    const path = blockPath(directory.path, blockId)
    const bytes = await readFile(path)
    bytes[bytes.length - 3]! ^= 1
    await writeFile(path, bytes)
  }
  await using server = await startServer({ dataDir: directory.path, checkBlocks: false })
  const read = async (): Promise<number> => (await readdir(join(directory.path, 'damaged'))).length
  const asking = connect(server.port, '127.0.0.1')
  asking.write('GET /api/log_entries?search=nothing HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await expect.poll(read, { interval: 1 }).toBeGreaterThan(0)
  asking.destroy()
  // Whoever asks next is answered after it.
  expect((await send(server.url, '/api/stats')).status).toBe(200)
  let before = -1
  const isAtRest = async (): Promise<boolean> => {
    const now = await read()
    const isSame = now === before
    before = now
    return isSame
  }
  await expect.poll(isAtRest, { interval: 100 }).toBe(true)
  expect(await read()).toBeLessThan(1_500)
  expect(server.events.filter(({ type }) => type === 'refused')).toEqual([])
})

test('a stream with hundreds of equal tags, or unknown ones, is still there after a restart', async () => {
  await using directory = await temporaryDirectory()
  const { owner, log, blocks } = telemetry(1)
  const tags = [...Array(650).fill('log'), ...Array.from({ length: 650 }, (_, i) => `tag${i}`)]
  const body = Buffer.from(streamBody(log))
  const at = body.indexOf('tags') + 4
  expect(body.subarray(at, at + 5)).toEqual(Buffer.from([0x81, 0x63, ...Buffer.from('log')]))
  const list = tags.flatMap((tag) => [0x60 + tag.length, ...Buffer.from(tag)])
  const many = Buffer.concat([
    body.subarray(0, at),
    Buffer.from([0x99, tags.length >> 8, tags.length & 255, ...list]),
    body.subarray(at + 5),
  ])
  const first = await startServer({ dataDir: directory.path })
  await insert(first, 'process', processBody(owner))
  await insert(first, 'stream', many)
  await insertBlocks(first, ...blocks)
  await first.close()
  await using second = await startServer({ dataDir: directory.path })
  expect(second.reasons()).toEqual([])
  expect((await second.reader.logEntries()).rows).toHaveLength(1)
  expect((await second.reader.streams(owner.processId))[0]?.tags).toEqual(tags)
})

test('items with the largest and smallest numbers the wire takes are stored, listed and there after a restart', async () => {
  await using directory = await temporaryDirectory()
  const extremes = [2n ** 63n - 1n, -(2n ** 63n), 0n, 1n]
  const first = await startServer({ dataDir: directory.path })
  for (const [startTicks, tscFrequency] of extremes.flatMap((a) => extremes.map((b) => [a, b] as const))) {
    const owner = processInfo()
    const log = stream(owner, 'log')
    await insert(first, 'process', processBody({ ...owner, startTicks, tscFrequency }))
    await insert(first, 'stream', streamBody(log))
    const edges = { beginTicks: -(2 ** 62), endTicks: 2 ** 62 }
    await insertBlocks(first, logBlock(owner, log, [{ at: 1, message: 'm' }], edges))
  }
  await first.idle()
  const routes = ['processes', 'blocks', 'log_entries', 'measures', 'spans', 'problems', 'stats']
  for (const server of [first, undefined]) {
    await using running = server ?? (await startServer({ dataDir: directory.path }))
    expect(running.reader.blocks().rows).toHaveLength(16)
    for (const route of routes)
      expect([route, (await send(running.url, `/api/${route}`)).status]).toEqual([route, 200])
  }
})

describe('the byte budget', () => {
  test('deletes the oldest blocks, keeps their process and stream, and says so once', async () => {
    await using directory = await temporaryDirectory()
    const owner = processInfo()
    const log = stream(owner, 'log')
    await using server = await startServer({ dataDir: directory.path, maxBytes: 1024 * 1024 })
    await insert(server, 'process', processBody(owner))
    await insert(server, 'stream', streamBody(log))
    const blocks = Array.from({ length: 30 }, (_, i) =>
      logBlock(owner, log, [{ at: i, message: `${i} ${'x'.repeat(100_000)}` }]),
    )
    await insertBlocks(server, ...blocks)
    await server.idle()
    const { rows } = await server.reader.logEntries()
    expect(rows.map(({ timeNs }) => Number(timeNs % 1000n))).toEqual([29, 28, 27, 26, 25, 24, 23, 22, 21, 20])
    expect(server.reasons().filter((reason) => reason.includes('is full'))).toHaveLength(1)
    expect((await server.reader.processes()).rows).toHaveLength(1)
    const answer = JSON.parse((await send(server.url, '/api/stats')).text)
    expect(answer.bytes).toBeLessThanOrEqual(1024 * 1024)
    expect(answer.since_start.evicted_blocks).toBe(20)
  })

  test('a smaller budget at the next start deletes what is too much', async () => {
    await using directory = await temporaryDirectory()
    const { owner, log, blocks } = telemetry(20, 'y'.repeat(100_000))
    const first = await startServer({ dataDir: directory.path })
    await insert(first, 'process', processBody(owner))
    await insert(first, 'stream', streamBody(log))
    await insertBlocks(first, ...blocks)
    await first.close()
    await using second = await startServer({ dataDir: directory.path, maxBytes: 1024 * 1024 })
    expect((await second.reader.logEntries()).rows).toHaveLength(10)
  })

  test('processes without blocks cannot fill the disk either', async () => {
    await using server = await startServer({ maxBytes: 1024 * 1024 })
    for (let i = 0; i < 40; i++) {
      await insert(
        server,
        'process',
        processBody(processInfo({ exe: `${i}`, properties: { p: 'x'.repeat(50_000) } })),
      )
    }
    await server.idle()
    const { rows } = await server.reader.processes()
    const kept = rows.map(({ exe }) => Number(exe)).sort((a, b) => a - b)
    expect(kept.at(-1)).toBe(39)
    expect(kept.length).toBeLessThan(25)
    expect(kept[0]).toBeGreaterThan(10)
  })
})

describe('the data directory', () => {
  test('serves one server at a time, and the next one after it was closed', async () => {
    await using directory = await temporaryDirectory()
    const first = await startServer({ dataDir: directory.path })
    await expect(startServer({ dataDir: directory.path })).rejects.toMatchObject({
      code: 'ERR_TELEMETRY_CONFIG',
      message: expect.stringMatching(/another server is using it; choose .* --data-dir/),
    })
    await first.close()
    await using second = await startServer({ dataDir: directory.path })
    expect(second.reasons()).toEqual([])
  })

  test('serves one server, whatever the spelling of its path', async () => {
    await using directory = await temporaryDirectory()
    const long = join(directory.path, ...Array.from({ length: 6 }, (_, i) => `${i}`.repeat(30)))
    await mkdir(long, { recursive: true })
    const short = join(directory.path, 'short')
    await symlink(long, short)
    expect(Buffer.byteLength(long)).toBeGreaterThan(108)
    for (const [one, other] of [
      [long, short],
      [short, long],
      [long, `${long}/../${'5'.repeat(30)}/.`],
    ] as const) {
      await using first = await startServer({ dataDir: one })
      await expect(startServer({ dataDir: other })).rejects.toMatchObject({
        message: expect.stringContaining('another server is using it'),
      })
      expect(first.reasons()).toEqual([])
    }
    expect(await readdir(join(long, 'lock'))).toEqual([])
  })

  test('goes to one of many servers that start at once, also after one was killed', async () => {
    await using directory = await temporaryDirectory()
    for (let round = 0; round < 5; round++) {
      await using child = runFile('server/test/support/crash-server.ts', [directory.path])
      await child.waitFor(/http:\/\/\S+/)
      child.process.kill('SIGKILL')
      await child.exit()
      expect(await readdir(join(directory.path, 'lock'))).toHaveLength(1)
      const locks = await Promise.allSettled(Array.from({ length: 12 }, () => lockDataDir(directory.path)))
      const held = locks.filter(({ status }) => status === 'fulfilled')
      expect(held).toHaveLength(1)
      await expect(lockDataDir(directory.path)).rejects.toMatchObject({ code: 'ERR_TELEMETRY_CONFIG' })
      for (const lock of locks) if (lock.status === 'fulfilled') await lock.value?.()
      expect(await readdir(join(directory.path, 'lock'))).toEqual([])
    }
  })

  test('of a server that is stopped, and so says nothing, stays its own', async () => {
    await using directory = await temporaryDirectory()
    await using child = runFile('server/test/support/crash-server.ts', [directory.path])
    await child.waitFor(/http:\/\/\S+/)
    child.process.kill('SIGSTOP')
    await expect(lockDataDir(directory.path)).rejects.toMatchObject({ code: 'ERR_TELEMETRY_CONFIG' })
  })

  test.skipIf(process.platform === 'win32')(
    'is for its owner alone, and out of version control',
    async () => {
      await using directory = await temporaryDirectory()
      const path = join(directory.path, 'a', '.micromegas')
      await using server = await startServer({ dataDir: path })
      await insert(server, 'process', processBody(processInfo()))
      expect((await stat(path)).mode & 0o777).toBe(0o700)
      expect(await readFile(join(path, '.gitignore'), 'utf8')).toBe('*\n')
      const files = await readdir(path, { recursive: true, withFileTypes: true })
      const readable = []
      for (const entry of files) {
        const { mode } = await stat(join(entry.parentPath, entry.name))
        if (entry.name !== '.gitignore' && !entry.isSocket() && (mode & 0o077) !== 0)
          readable.push(entry.name)
      }
      expect(readable).toEqual([])
    },
  )

  test('that others keep things in gets no .gitignore, and one that is there stays', async () => {
    await using directory = await temporaryDirectory()
    await writeFile(join(directory.path, 'package.json'), '{}')
    await (await startServer({ dataDir: directory.path })).close()
    expect(await readdir(directory.path)).not.toContain('.gitignore')
    await using other = await temporaryDirectory()
    await writeFile(join(other.path, '.gitignore'), 'mine')
    await (await startServer({ dataDir: other.path })).close()
    expect(await readFile(join(other.path, '.gitignore'), 'utf8')).toBe('mine')
  })

  test('that cannot be made is a clear error', async () => {
    await using directory = await temporaryDirectory()
    await writeFile(join(directory.path, 'file'), '')
    await expect(startServer({ dataDir: join(directory.path, 'file', 'data') })).rejects.toMatchObject({
      code: 'ERR_TELEMETRY_CONFIG',
      message: expect.stringContaining('Cannot use the data directory'),
    })
  })

  test('is deleted when it is temporary', async () => {
    const server = await startServer()
    await server.close()
    await expect(stat(server.dataDir)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('nothing but a UUID becomes a file', async () => {
    await using server = await startServer()
    const body = Buffer.from(processBody(processInfo()))
    const at = body.indexOf('process_id') + 'process_id'.length + 2
    for (const id of [
      '../../../../../../../../tmp/escaped-from-data',
      '/etc/passwd/aaaaaaaaaaaaaaaaaaaaaaa',
      `..${'\0'.repeat(34)}`,
    ]) {
      const changed = Buffer.from(body)
      changed.write(id.slice(0, 36).padEnd(36, '/'), at)
      expect((await post(server, 'process', changed)).status).toBe(400)
    }
    expect(await readdir(join(server.dataDir, 'processes'))).toEqual([])
    for (const path of ['/api/blocks/..%2F..%2Fetc', '/api/processes/..%2F', '/api/images/..%2Fx/0']) {
      expect((await send(server.url, path)).status).toBe(404)
    }
  })

  test('ids in every spelling are one id', async () => {
    await using server = await startServer()
    const owner = processInfo()
    const id = owner.processId
    const body = Buffer.from(processBody(owner))
    const at = body.indexOf(id)
    const upper = Buffer.from(body)
    upper.write(id.toUpperCase(), at)
    const digits = Buffer.concat([
      body.subarray(0, at - 2),
      Buffer.from([0x78, 32]),
      Buffer.from(id.replaceAll('-', '')),
      body.subarray(at + 36),
    ])
    await insert(server, 'process', body, upper, digits)
    expect((await server.reader.processes()).rows).toHaveLength(1)
  })

  test('that cannot be written to makes the server not ready and answers 503', async () => {
    await using directory = await temporaryDirectory()
    await using server = await startServer({ dataDir: directory.path })
    await rm(join(directory.path, 'tmp'), { recursive: true })
    expect((await send(server.url, '/ready')).status).toBe(503)
    expect(await post(server, 'process', processBody(processInfo()))).toMatchObject({
      status: 503,
      text: 'Service unavailable',
    })
    expect(server.reasons().join('\n')).toContain('ENOENT')
    expect((await send(server.url, '/health')).status).toBe(200)
  })
})

function blockPath(directory: string, blockId: string): string {
  return join(directory, 'blocks', blockId.slice(0, 2), blockId)
}
