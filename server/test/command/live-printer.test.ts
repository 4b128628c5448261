import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { insert, insertBlocks, startServer } from '../support/server.ts'
import {
  imageBlock,
  logBlock,
  metricBlock,
  processBody,
  process as processInfo,
  spanBlock,
  stream,
  streamBody,
} from '../support/telemetry.ts'

const owner = processInfo({ exe: '/srv/shop/main.js' })
const logs = stream(owner, 'log')
const metrics = stream(owner, 'metrics')
const cpu = stream(owner, 'cpu')
const images = stream(owner, 'image')

/** Starts a server that prints, sends, and returns the lines without their time. */
async function printed(blocks: Parameters<typeof insertBlocks>[1][], isColoured = false): Promise<string[]> {
  let text = ''
  const print = {
    hasColors: () => isColoured,
    write: (chunk: string) => {
      text += chunk
    },
  }
  await using server = await startServer({ print })
  await insert(server, 'process', processBody(owner))
  await insert(server, 'stream', ...[logs, metrics, cpu, images].map((info) => streamBody(info)))
  await insertBlocks(server, ...blocks)
  await server.idle()
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/\d\d:\d\d:\d\d\.\d{3} /, ''))
}

test('logs, metrics and images are a line each, in order of time', async () => {
  expect(
    await printed([
      logBlock(owner, logs, [
        { at: 1, message: 'ready', target: 'shop.main' },
        { at: 2, level: 3, message: 'slow', target: 'shop', properties: { region: 'eu', attempt: '2' } },
      ]),
      metricBlock(owner, metrics, 'latency', [[3, 12.3456789]]),
      imageBlock(owner, images, 4, 'chart', Buffer.alloc(10)),
    ]),
  ).toEqual([
    'INFO   shop.main ready [main.js]',
    'WARN   shop slow region=eu attempt=2 [main.js]',
    'METRIC app latency = 12.3457 ms [main.js]',
    'IMAGE  chart png 10 bytes [main.js]',
  ])
})

test('spans are a line when they end, with their duration, across blocks too', async () => {
  expect(
    await printed([
      spanBlock(
        owner,
        cpu,
        [
          ['begin', 'main', 0],
          ['begin', 'parse', 100],
          ['end', 'parse', 1_600],
          ['async begin', 'request', 2_000, 7, 0, 0],
        ],
        { endTicks: 3_000 },
      ),
      spanBlock(
        owner,
        cpu,
        [
          ['end', 'main', 5_000_000],
          ['async end', 'request', 2_500_002_000, 7, 0, 0],
        ],
        { beginTicks: 3_000, objectOffset: 4 },
      ),
    ]),
  ).toEqual([
    'SPAN   app   parse 1.5 µs [main.js]',
    'SPAN   app main 5 ms [main.js]',
    'SPAN   app request 2.5 s [main.js]',
  ])
})

test('a span whose begin was lost says so', async () => {
  const lost = spanBlock(owner, cpu, [
    ['end', 'main', 5],
    ['async end', 'request', 6, 7, 0, 0],
  ])
  expect(await printed([lost])).toEqual([
    'SPAN   app main (begin not seen) [main.js]',
    'SPAN   app request (begin not seen) [main.js]',
  ])
})

test('a message cannot steer the terminal or pass for another entry', async () => {
  const message = 'one\n12:00:00.000 FATAL fake\u001b[2J\r\u0007\u2028'
  expect(await printed([logBlock(owner, logs, [{ at: 1, message, target: 'a\nb' }])])).toEqual([
    'INFO   a\\u000ab one',
    '    FATAL fake\\u001b[2J\\u000d\\u0007\\u2028 [main.js]',
  ])
})

test('nor turn the direction of writing, by any text of an event', async () => {
  const bad = 'a\u202eb\u2066\u009b'
  const escaped = 'a\\u202eb\\u2066\\u009b'
  const lines = await printed([
    logBlock(owner, logs, [{ at: 1, message: bad, target: bad, properties: { [bad]: bad } }]),
    metricBlock(owner, metrics, bad, [[3, 1]]),
    imageBlock(owner, images, 4, bad, Buffer.alloc(1)),
    spanBlock(owner, cpu, [
      ['begin', bad, 0],
      ['end', bad, 1],
    ]),
  ])
  expect(lines).toHaveLength(4)
  for (const line of lines) expect(line).toContain(escaped)
  expect(lines.join()).not.toMatch(/[\u202e\u2066\u009b]/)
})

test('a reader that is slow costs lines, which are counted, and no memory', async () => {
  const read: string[] = []
  const waiting: (() => void)[] = []
  const slow = new Writable({
    write(chunk, _encoding, done) {
      read.push(String(chunk))
      waiting.push(done)
    },
  })
  await using server = await startServer({ print: slow })
  await insert(server, 'process', processBody(owner))
  await insert(server, 'stream', streamBody(logs))
  const line = (at: number) => logBlock(owner, logs, [{ at, message: `${at} ${'x'.repeat(3_000)}` }])
  for (let i = 0; i < 1000; i++) await insertBlocks(server, line(i))
  await server.idle()
  expect(slow.writableLength).toBeLessThan(1.1 * 1024 * 1024)
  // It reads on: what it missed is said.
  while (slow.writableLength > 0) waiting.shift()?.()
  await insertBlocks(server, line(5_000))
  await server.idle()
  const all = read.join('')
  const [, missing = ''] = /… (\d+) lines are missing here/.exec(all) ?? []
  expect((all.match(/INFO/g)?.length ?? 0) + Number(missing)).toBe(1001)
  expect(Number(missing)).toBeGreaterThan(500)
})

test('a reader that goes away ends the printing, is told once, and costs nothing else', async () => {
  const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error('write EPIPE')) })
  for (const print of [
    gone,
    {
      write: () => {
        throw new Error('write EPIPE')
      },
    },
  ]) {
    await using server = await startServer({ print })
    await insert(server, 'process', processBody(owner))
    await insert(server, 'stream', streamBody(logs))
    for (let i = 0; i < 3; i++) {
      await insertBlocks(server, logBlock(owner, logs, [{ at: i, message: 'm' }]))
      await server.idle()
    }
    expect(server.reasons()).toEqual(['events are no longer printed: write EPIPE'])
    expect((await server.reader.blocks({ state: 'readable' })).rows).toHaveLength(3)
  }
  expect(gone.listenerCount('error')).toBe(0)
})

test('a long message is cut', async () => {
  const [line = ''] = await printed([logBlock(owner, logs, [{ at: 1, message: 'x'.repeat(100_000) }])])
  expect(line.length).toBeLessThan(4_100)
  expect(line).toContain('x… (100000 characters)')
})

test('colours are for terminals', async () => {
  const block = logBlock(owner, logs, [{ at: 1, level: 2, message: 'bad' }])
  const [line = ''] = await printed([block], true)
  expect(line).toContain('\u001b[31mERROR')
  expect(stripVTControlCharacters(line)).toMatch(/^[\d:.]+ ERROR {2}app bad \[main\.js\]$/)
})

test('blocks that came before their stream are printed when it comes', async () => {
  const lines: string[] = []
  await using server = await startServer({ print: { write: (text: string) => lines.push(text) } })
  await insertBlocks(server, logBlock(owner, logs, [{ at: 1, message: 'early' }]))
  await insert(server, 'stream', streamBody(logs))
  await server.idle()
  expect(lines).toEqual([])
  await insert(server, 'process', processBody(owner))
  await server.idle()
  expect(lines.join()).toContain('early')
})
