import { describe, expect, test } from 'vitest'
import { insert, insertBlocks, post, send, startServer, temporaryDirectory } from './support/server.ts'
import { logBlock, processBody, process as processInfo, stream, streamBody } from './support/telemetry.ts'

const owner = processInfo()
const log = stream(owner, 'log')

describe('a server that only takes telemetry', () => {
  test('has no way to ask, over HTTP or in code, and keeps what it takes for one that has', async () => {
    await using directory = await temporaryDirectory()
    const taking = await startServer({ dataDir: directory.path, roles: ['ingestion'] })
    await insert(taking, 'process', processBody(owner))
    await insert(taking, 'stream', streamBody(log))
    await insertBlocks(taking, logBlock(owner, log, [{ at: 1, message: 'kept' }]))
    for (const path of ['/api/stats', '/ui/', '/gateway/query']) {
      expect((await send(taking.url, path)).status, path).toBe(404)
    }
    expect((await send(taking.url, '/health')).status).toBe(200)
    expect(() => taking.flightUri).toThrow('analytics is not among its roles')
    await expect(taking.query('select 1')).rejects.toMatchObject({ code: 'ERR_TELEMETRY_CONFIG' })
    await taking.close()

    await using answering = await startServer({ dataDir: directory.path, roles: ['analytics'] })
    expect(await answering.query('select msg from log_entries')).toEqual([{ msg: 'kept' }])
  })

  test('needs credentials for nothing else', async () => {
    const apiKeys = [{ name: 'service', key: 'mmk_service' }]
    await using server = await startServer({
      ingestion: { apiKeys },
      disableAuth: false,
      roles: ['ingestion'],
    })
    expect((await post(server, 'process', processBody(owner))).status).toBe(401)
    const headers = { authorization: 'Bearer mmk_service' }
    expect((await post(server, 'process', processBody(owner), headers)).status).toBe(200)
  })
})

test('a server that only answers questions takes nothing', async () => {
  await using server = await startServer({ roles: ['analytics'] })
  expect((await post(server, 'process', processBody(owner))).status).toBe(404)
  expect((await send(server.url, '/api/stats')).status).toBe(200)
  expect(await server.query('select count(*) as n from processes')).toEqual([{ n: 0n }])
})
