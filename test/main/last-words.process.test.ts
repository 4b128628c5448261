import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Service, startService } from '../sink/support/service.ts'
import { Child, type Ended } from './support/child.ts'
import { Received } from './support/received.ts'

let service: Service

beforeEach(async () => {
  service = await startService()
})
afterEach(() => service.close())

function end(way: string, when: string, options: object = {}): Promise<Ended> {
  return new Child('last-words.mjs', { MICROMEGAS_TELEMETRY_URL: service.url }, [
    way,
    when,
    JSON.stringify(options),
  ]).ended
}

const messages = (): string[] => new Received(service.requests).messages('fixture')

describe('what a listener of exit records arrives, on every way out, whenever it was added', () => {
  const ways: [way: string, code: number][] = [
    ['dry', 0],
    ['exit', 3],
    ['exit later', 3],
    ['uncaught', 1],
    ['unhandled', 1],
    ['main returns', 0],
    ['main returns a number', 7],
    ['main rejects', 1],
    ['main, SIGTERM', 143],
    ['worker, dry', 0],
    ['worker, exit', 0],
  ]
  test.each(ways.flatMap(([way, code]) => ['before', 'after'].map((when) => [way, when, code] as const)))(
    '%s, %s the start (code %i)',
    async (way, when, code) => {
      expect(await end(way, when)).toMatchObject({ code, signal: null })
      expect(messages()).toEqual(['first', 'last'])
    },
  )

  test.each([
    ['many listeners', 'before', 0, ['first', 'last', 'last 1', 'last 2', 'last 3', 'last 4']],
    ['uncaught, handled', 'after', 8, ['first', 'handled', 'last']],
    ['a listener exits', 'before', 6, ['first', 'last']],
    ['a listener throws', 'after', 1, ['first', 'last']],
    ['reallyExit', 'after', 4, ['first']],
    ['signal-exit', 'before', 0, ['first', 'last', 'very last']],
    ['signal-exit', 'after', 0, ['first', 'last', 'very last']],
    ['signal-exit, process.exit', 'before', 4, ['first', 'last', 'very last']],
    ['signal-exit, process.exit', 'after', 4, ['first', 'last', 'very last']],
    ['beforeExit goes on', 'after', 0, ['first', 'went on', 'last']],
  ] as const)('%s, %s the start (code %i)', async (way, when, code, expected) => {
    expect(await end(way, when)).toMatchObject({ code, signal: null })
    expect(messages()).toEqual(expected)
  })
})

test.each(['before', 'after'])(
  'listeners of beforeExit that are added %s the start see one end, and what they record arrives',
  async (when) => {
    expect(await end('beforeExit', when)).toMatchObject({ code: 0, stdout: 'beforeExit\n' })
    expect(messages()).toEqual(['first', 'dry', 'last'])
  },
)

test('a server that does not answer leaves nobody in the dark about what a listener of exit records', async () => {
  service.respond = () => undefined
  const ended = await end('exit', 'after', { shutdownTimeoutMs: 300 })
  expect(ended).toMatchObject({ code: 3 })
  expect(ended.stderr).toMatch(/\d events were not delivered before the shutdown/)
})

describe('what is recorded after the shutdown is lost, and told', () => {
  test('at the end, with the number', async () => {
    expect((await end('after shutdown', 'before')).stderr).toContain(
      'micromegas: 2 events were recorded after telemetry was shut down, and lost',
    )
    expect(messages()).toEqual(['first'])
  })

  test('at once, where it is recorded while the process ends', async () => {
    expect((await end('after shutdown', 'after')).stderr).toContain(
      'micromegas: an event was recorded after telemetry was shut down, and is lost',
    )
  })
})
