import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DecodedMeasure } from '../../src/telemetry/decode/measures.ts'
import { type Service, startService } from '../sink/support/service.ts'
import { Child } from './support/child.ts'
import { Received } from './support/received.ts'

let service: Service

beforeEach(async () => {
  service = await startService()
})
afterEach(() => service.close())

async function run(fixture: string, ...args: string[]): Promise<Received> {
  const env = { MICROMEGAS_TELEMETRY_URL: service.url, MICROMEGAS_ENABLE_CPU_TRACING: 'true' }
  await new Child(fixture, env, args).ended
  return new Received(service.requests)
}

/** What `SELECT name, sum(value) … WHERE target = 'micromegas' GROUP BY name` says. */
function sums(measures: readonly DecodedMeasure[]): Record<string, number> {
  const totals: Record<string, number> = {}
  for (const { name, value, target, properties } of measures) {
    if (target !== 'micromegas') continue
    const key = properties.reason === undefined ? name : `${name} ${properties.reason}`
    totals[key] = (totals[key] ?? 0) + value
  }
  return totals
}

describe('a process says with its last blocks what it recorded, and the server has as much, when it ends by', () => {
  test.each(['return', 'number', 'reject', 'exit', 'uncaught', 'rejection'])('%s', async (way) => {
    const { logs, measures, others } = await run('service.mjs', way)
    expect(sums(measures)).toMatchObject({
      telemetry_recorded_logs: logs.length,
      telemetry_recorded_metrics: measures.length,
      telemetry_recorded_traces: 2,
      telemetry_recorded_images: 1,
    })
    expect(others).toHaveLength(3)
  })

  test('a signal, without the wrapper', async () => {
    const env = { MICROMEGAS_TELEMETRY_URL: service.url }
    const child = new Child('signals.mjs', env, ['nothing'])
    await child.printed('ready')
    child.process.kill('SIGTERM')
    await child.ended
    const { logs, measures } = new Received(service.requests)
    expect(sums(measures)).toEqual({
      telemetry_recorded_logs: logs.length,
      telemetry_recorded_metrics: measures.length,
    })
  })

  test('an event loop that runs dry, with a listener of exit that records more', async () => {
    const { logs, measures } = await run('last-words.mjs', 'dry', 'after')
    expect(logs.map(({ msg }) => msg)).toEqual(['first', 'last'])
    expect(sums(measures)).toEqual({
      telemetry_recorded_logs: 2,
      telemetry_recorded_metrics: measures.length,
      telemetry_delivered_logs: 1,
      telemetry_delivered_metrics: 2,
    })
  })
})

test('the account has what was acknowledged, and what was dropped by kind and reason', async () => {
  let refused = ''
  service.respond = ({ insert, id }) => {
    if (insert === 'block') refused ||= id
    return id === refused ? 400 : 200
  }
  const { measures } = await run('accounts.mjs')
  const account = sums(measures)
  expect(account).toMatchObject({
    telemetry_delivered_logs: 3,
    'telemetry_dropped_logs refused': 2,
    'telemetry_dropped_metrics invalid': 1,
  })
  // Whatever was recorded is acknowledged, dropped, or came with the account.
  const came = new Received(service.requests).logs.length
  expect(account.telemetry_recorded_logs).toBe(came)
})

test('several starts in one process each have an account of their own', async () => {
  await run('accounts.mjs', 'twice')
  const received = new Received(service.requests)
  const recorded = received.measures.filter(({ name }) => name === 'telemetry_recorded_logs')
  expect(recorded.map(({ value }) => value)).toEqual([1, 2])
  const lost = received.measures.filter(({ name }) => name === 'telemetry_dropped_logs')
  expect(lost.map(({ value, properties }) => [value, properties.reason])).toEqual([[1, 'not_running']])
})

test('nothing is said of itself where nothing is uploaded', async () => {
  const ended = await new Child('accounts.mjs', {}, ['memory']).ended
  expect(JSON.parse(ended.stdout)).toEqual({ metrics: ['mine'], logs: ['mine'] })
})
