import { insert, insertBlocks, startServer, type TestServer } from '../../../server/test/support/server.ts'
import {
  logBlock,
  metricBlock,
  processBody,
  process as processInfo,
  spanBlock,
  stream,
  streamBody,
} from '../../../server/test/support/telemetry.ts'

export const SHOP = '00000000-0000-4000-8000-00000000000a'
export const HOSTILE = '00000000-0000-4000-8000-00000000000b'

/** What acts on a terminal: a title, a clear screen, an 8-bit CSI, a reversed text. */
export const ESCAPES = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202eevil'

const SECOND = 1_000_000_000
const MS = 1_000_000

/** A server with two processes of 1 January 2024, whose ids, times and texts are always the same. */
export async function startRecordedShop(): Promise<TestServer> {
  const server = await startServer()
  const shop = processInfo({
    processId: SHOP,
    exe: '/srv/checkout.mjs',
    username: 'alice',
    computer: 'host1',
    distro: 'Debian 12',
    cpuBrand: 'AMD EPYC',
  })
  const hostile = processInfo({
    processId: HOSTILE,
    exe: `/srv/${ESCAPES}`,
    username: `bob${ESCAPES}`,
    startTimeMicros: shop.startTimeMicros + 500_000n,
  })
  const log = { ...stream(shop, 'log'), streamId: '00000000-0000-4000-8000-0000000000a1' }
  const metrics = { ...stream(shop, 'metrics'), streamId: '00000000-0000-4000-8000-0000000000a2' }
  const cpu = { ...stream(shop, 'cpu'), streamId: '00000000-0000-4000-8000-0000000000a3' }
  const hostileLog = { ...stream(hostile, 'log'), streamId: '00000000-0000-4000-8000-0000000000b1' }
  await insert(server, 'process', processBody(shop), processBody(hostile))
  await insert(server, 'stream', ...[log, metrics, cpu, hostileLog].map(streamBody))
  const blockId = (n: number) => `00000000-0000-4000-8000-0000000000c${n}`
  await insertBlocks(
    server,
    logBlock(
      shop,
      log,
      [
        { at: SECOND, target: 'shop.http', message: 'listening on port 8000' },
        {
          at: 2 * SECOND + 1,
          level: 3,
          target: 'shop.checkout',
          message: 'slow',
          properties: { region: 'eu', order: '42' },
        },
        {
          at: 3 * SECOND,
          level: 2,
          target: 'shop.checkout',
          message: 'charge failed: declined\nby "the bank", after three attempts of eleven seconds each',
          properties: { order: '42' },
        },
        { at: 4 * SECOND, level: 6, target: "shop.o'clock", message: '日本 tick' },
      ],
      { blockId: blockId(1) },
    ),
    {
      ...metricBlock(
        shop,
        metrics,
        'request_latency',
        [1, 2, 3, 4, 90].map((ms, i) => [(i + 1) * SECOND, ms]),
      ),
    },
    spanBlock(shop, cpu, [
      ['begin', 'request', SECOND],
      ['begin', 'charge', SECOND + 10 * MS],
      ['end', 'charge', SECOND + 40 * MS],
      ['begin', 'render', SECOND + 50 * MS],
      ['end', 'render', SECOND + 55 * MS],
      ['end', 'request', SECOND + 60 * MS],
    ]),
    logBlock(
      hostile,
      hostileLog,
      [
        {
          at: SECOND,
          target: `t${ESCAPES}`,
          message: `boo${ESCAPES}`,
          properties: { [`k${ESCAPES}`]: ESCAPES },
        },
      ],
      { blockId: blockId(2) },
    ),
  )
  return server
}
