import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { insert, insertBlocks, post, startServer, temporaryDirectory } from '../support/server.ts'
import { logBlock, processBody, process as processInfo, stream, streamBody } from '../support/telemetry.ts'

const owner = processInfo()
const log = stream(owner, 'log')

const probe = await open('.', 'r')
const handles: { sync(): Promise<void> } = Object.getPrototypeOf(probe)
await probe.close()

afterEach(() => vi.restoreAllMocks())

test('with fsync each file and the folder it is in are on the disk before the answer', async () => {
  await using server = await startServer({ fsync: true })
  const sync = vi.spyOn(handles, 'sync')
  await insert(server, 'process', processBody(owner))
  expect(sync).toHaveBeenCalledTimes(2)
  await insert(server, 'stream', streamBody(log))
  expect(sync).toHaveBeenCalledTimes(4)
  await insertBlocks(server, logBlock(owner, log, [{ at: 1, message: 'm' }]))
  // The folder of the block's first two digits is new, and so a name in the one above it.
  expect(sync).toHaveBeenCalledTimes(7)
})

test('what the disk refuses is not answered with success, and can be sent again', async () => {
  await using directory = await temporaryDirectory()
  await using server = await startServer({ dataDir: directory.path, fsync: true })
  const sync = vi.spyOn(handles, 'sync')
  const fault = Object.assign(new Error('EIO: i/o error, fsync'), { errno: -5, syscall: 'fsync' })
  // The file, then the folder that it was renamed into.
  for (const passed of [0, 1]) {
    for (let i = 0; i < passed; i++) sync.mockResolvedValueOnce()
    sync.mockRejectedValueOnce(fault)
    expect((await post(server, 'process', processBody(owner))).status).toBe(503)
    expect(await readdir(join(directory.path, 'processes'))).toEqual([])
    expect(await readdir(join(directory.path, 'tmp'))).toEqual([])
  }
  sync.mockRestore()
  await insert(server, 'process', processBody(owner))
  expect(await readdir(join(directory.path, 'processes'))).toEqual([owner.processId])
})

test('without it nothing waits for the disk', async () => {
  const sync = vi.spyOn(handles, 'sync')
  await using server = await startServer()
  await insert(server, 'process', processBody(owner))
  expect(sync).not.toHaveBeenCalled()
})
