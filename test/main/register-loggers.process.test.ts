import { expect, test } from 'vitest'
import type { MicromegasServer } from '../../server/src/index.ts'
import { record } from './support/registered.ts'

const LOGGERS = 'registered-loggers.mjs'

async function logsOf(server: MicromegasServer): Promise<Record<string, unknown>[]> {
  return await server.query(
    "select level, target, msg, properties from log_entries where target not in ('micromegas') order by time, msg",
  )
}

test('pino and winston are recorded as they are, once, with the span they are in', async () => {
  const [server, { code, stdout, stderr }] = await record(undefined, '', {}, LOGGERS)
  await using _ = server
  expect(code).toBe(0)
  expect(stderr).toMatch(
    /^micromegas: recording HTTP servers and clients, console, pino, winston, the logger of NestJS, spans$/m,
  )
  // What their own destinations show is not shown again, but where the program has wired that.
  const shown = stdout.trim().split('\n')
  expect(
    shown.map((line) => /"(?:msg|message)":"([^"]*)"/.exec(line)?.[1] ?? line.replace(/^\S+ /, '')).sort(),
  ).toEqual([
    'INFO  stream: once',
    'INFO  transport: once',
    'card ****',
    'corked',
    'done',
    'drunk',
    'fine',
    'no change',
    'once',
    'paid cash',
  ])
  const logs = await logsOf(server)
  const [span] = await server.query(
    "select property_get(properties, 'span_id') as id from log_entries where msg = 'paid cash'",
  )
  const spanId = span!.id
  expect(spanId).toMatch(/^\d+$/)
  const byMessage = Object.fromEntries(logs.map((log) => [String(log.msg).split('\n')[0], log]))
  expect(logs).toHaveLength(8)
  expect(byMessage).toMatchObject({
    fine: { level: 5, target: 'shop', properties: {} },
    'card ****': { level: 4, target: 'cards', properties: { password: '[Redacted]' } },
    once: { level: 4 },
    drunk: { level: 4, target: 'cellar', properties: { rack: 'b' } },
    'paid cash': { level: 4, target: 'shop', properties: { order: '7', span_id: spanId } },
    'Error: no change': { level: 2, target: 'shop', properties: { part: 'till', span_id: spanId } },
    corked: { level: 3, target: 'cellar', properties: { bottle: '3', span_id: spanId } },
  })
  expect(
    logs
      .filter(({ msg }) => msg === 'once')
      .map(({ target }) => target)
      .sort(),
  ).toEqual(['stream', 'transport'])
})

test.each([
  ['imported', 'registered-old-pino.mjs'],
  ['required', 'registered-old-pino.cjs'],
])('a pino that does not tell its lines itself is recorded as well when it is %s', async (_, fixture) => {
  const [server, outcome] = await record(undefined, '', {}, fixture)
  await using _server = server
  expect(outcome.code).toBe(0)
  expect(await logsOf(server)).toMatchObject([
    { level: 4, target: 'old', msg: 'as ever', properties: { order: '7' } },
    { level: 3, target: 'old', msg: 'below', properties: { part: 'till' } },
  ])
})

test('both can be left alone', async () => {
  const env = { MICROMEGAS_INSTRUMENT_PINO: 'false', MICROMEGAS_INSTRUMENT_WINSTON: 'false' }
  const [server, { stderr }] = await record(undefined, '', env, LOGGERS)
  await using _ = server
  expect(stderr).toMatch(
    /^micromegas: recording HTTP servers and clients, console, the logger of NestJS, spans$/m,
  )
  expect((await logsOf(server)).map(({ target, msg }) => [target, msg])).toEqual([
    ['stream', 'once'],
    ['transport', 'once'],
  ])
})
