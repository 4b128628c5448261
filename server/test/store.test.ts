import { randomUUID } from 'node:crypto'
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runFile } from './support/child.ts'
import { insert, insertBlocks, post, send, startServer, temporaryDirectory } from './support/server.ts'
import { logBlock, processBody, process as processInfo, stream, streamBody } from './support/telemetry.ts'

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
    expect((await server.reader.logEntries()).rows.map(({ message }) => message)).toEqual(['m3'])
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
    expect(rows[0]?.exe).toBe('39')
    expect(rows.length).toBeLessThan(25)
  })
})

describe('the data directory', () => {
  test('serves one server at a time, and the next one after it was closed', async () => {
    await using directory = await temporaryDirectory()
    const first = await startServer({ dataDir: directory.path })
    await expect(startServer({ dataDir: directory.path })).rejects.toMatchObject({
      code: 'ERR_TELEMETRY_CONFIG',
      message: expect.stringMatching(/another ingestion server is using it; choose .* --data-dir/),
    })
    await first.close()
    await using second = await startServer({ dataDir: directory.path })
    expect(second.reasons()).toEqual([])
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

  test('that cannot be written to makes the server not ready and inserts 500', async () => {
    await using directory = await temporaryDirectory()
    await using server = await startServer({ dataDir: directory.path })
    await rm(join(directory.path, 'tmp'), { recursive: true })
    expect((await send(server.url, '/ready')).status).toBe(503)
    expect(await post(server, 'process', processBody(processInfo()))).toMatchObject({
      status: 500,
      text: 'Internal server error',
    })
    expect(server.reasons().join('\n')).toContain('ENOENT')
    expect((await send(server.url, '/health')).status).toBe(200)
  })
})

function blockPath(directory: string, blockId: string): string {
  return join(directory, 'blocks', blockId.slice(0, 2), blockId)
}
