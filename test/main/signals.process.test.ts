import { execFileSync, spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Service, startService } from '../sink/support/service.ts'
import { Child, type Ended } from './support/child.ts'
import { Received } from './support/received.ts'

let service: Service

beforeEach(async () => {
  service = await startService()
})
afterEach(() => service.close())

function start(way: string, options: object = {}, env: Record<string, string> = {}): Child {
  return new Child('signals.mjs', { MICROMEGAS_TELEMETRY_URL: service.url, ...env }, [
    way,
    JSON.stringify(options),
  ])
}

async function endBy(
  signal: NodeJS.Signals,
  way: string,
  options: object = {},
  env: Record<string, string> = {},
): Promise<Ended> {
  const child = start(way, options, env)
  await child.printed('ready')
  child.process.kill(signal)
  return child.ended
}

const EVENTS = Array.from({ length: 100 }, (_, i) => `event ${i}`)

function messages(): string[] {
  return new Received(service.requests).messages('fixture')
}

describe('with initTelemetry alone, a signal that nobody handles', () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const)(
    '%s ends the process as it does without telemetry, once everything is delivered',
    async (signal) => {
      expect(await endBy(signal, 'nothing')).toMatchObject({ code: null, signal, stderr: expect.any(String) })
      expect(messages()).toEqual(EVENTS)
    },
  )

  test.each([
    ['the option', { signalHandling: false }, {}],
    ['the variable', {}, { MICROMEGAS_SIGNAL_HANDLING: 'false' }],
  ])('is left alone where %s says so', async (_what, options, env) => {
    const ended = await endBy('SIGTERM', 'nothing', options, env)
    expect(ended).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(ended.stdout).toContain('SIGTERM 0, SIGUSR2 0')
    expect(messages()).toEqual([])
  })

  test('is left alone once telemetry is shut down', async () => {
    const ended = await endBy('SIGTERM', 'shut down')
    expect(ended).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(ended.stdout).toContain('SIGTERM 0, SIGUSR2 0')
    expect(messages()).toEqual(['before'])
  })

  test('ends the process at the second time where the server never answers', async () => {
    service.respond = () => undefined
    const child = start('nothing', { shutdownTimeoutMs: 3_600_000 })
    await child.printed('ready')
    child.process.kill('SIGTERM')
    await service.until((requests) => requests.length > 0)
    child.process.kill('SIGTERM')
    const ended = await child.ended
    expect(ended).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(ended.stderr).toContain('events were not delivered before the shutdown')
  })

  test('that comes twice at once, as from a terminal and from npm, loses nothing', async () => {
    const child = start('nothing')
    await child.printed('ready')
    child.process.kill('SIGINT')
    setTimeout(() => child.process.kill('SIGINT'), 20)
    expect(await child.ended).toMatchObject({ code: null, signal: 'SIGINT' })
    expect(messages()).toEqual(EVENTS)
  })
})

describe("the application's own handlers are alone, and decide", () => {
  test.each(['handler', 'handler before', 'once before'])('%s', async (way) => {
    const ended = await endBy('SIGTERM', way)
    expect(ended).toMatchObject({ code: 5, signal: null })
    expect(ended.stdout).toContain('SIGTERM 1, SIGUSR2 1')
    expect(messages()).toEqual([...EVENTS, 'closed'])
  })

  test('ignores', async () => {
    const child = start('ignores')
    await child.printed('ready')
    child.process.kill('SIGTERM')
    await child.printed('ignored')
    child.process.kill('SIGINT')
    expect(await child.ended).toMatchObject({ code: null, signal: 'SIGINT' })
  })

  test.each([
    ['raises again', 'SIGTERM'],
    ['raises again', 'SIGUSR2'],
    ['takes itself off', 'SIGTERM'],
  ] as const)('%s: %s ends the process then, and what it records is delivered', async (way, signal) => {
    expect(await endBy(signal, way)).toMatchObject({ code: null, signal })
    expect(messages()).toEqual([...EVENTS, 'cleaning up', 'cleaned up'])
  })

  test.each(['raises again at once', 'was removed', 'all removed', 'put away and back'])(
    '%s: the signal ends the process, delivered',
    async (way) => {
      expect(await endBy('SIGTERM', way)).toMatchObject({ code: null, signal: 'SIGTERM' })
      expect(messages()).toEqual(EVENTS)
    },
  )

  test.each(['signal-exit', 'signal-exit before', 'signal-exit 3'])(
    '%s: its callbacks run, and what they record is delivered',
    async (way) => {
      expect(await endBy('SIGTERM', way)).toMatchObject({ code: null, signal: 'SIGTERM' })
      expect(messages()).toEqual([...EVENTS, expect.stringMatching(/^signal-exit: (null|143) SIGTERM$/)])
    },
  )
})

describe('micromegasMain', () => {
  test('ends although signal-exit listens, whose callbacks run', async () => {
    expect(await endBy('SIGTERM', 'main, signal-exit')).toMatchObject({ code: 143 })
    expect(messages()).toEqual([...EVENTS, 'signal-exit: 143 null'])
  })

  test('leaves the end to a handler that takes itself off before it is called', async () => {
    expect(await endBy('SIGTERM', 'main, once before')).toMatchObject({ code: 5 })
    expect(messages()).toEqual([...EVENTS, 'closed'])
  })

  test.each([
    ['SIGTERM', 143],
    ['SIGUSR2', 140],
  ] as const)(
    'ends when a handler raises %s again, with what was recorded meanwhile',
    async (signal, code) => {
      expect(await endBy(signal, 'main, raises again')).toMatchObject({ code })
      expect(messages()).toEqual([...EVENTS, 'cleaning up', 'cleaned up'])
    },
  )

  test('takes the error of a wait that the signal ended for no failure', async () => {
    const ended = await endBy('SIGTERM', 'main, waits with the signal')
    expect(ended).toMatchObject({ code: 143 })
    expect(ended.stderr).not.toContain('AbortError')
    expect(new Received(service.requests).logs.filter(({ level }) => level === 1)).toEqual([])
  })

  test('does not abort its signal for a SIGHUP that the application handles', async () => {
    const child = start('main, reloads')
    await child.printed('ready')
    child.process.kill('SIGHUP')
    await service.until((requests) => requests.some(({ insert }) => insert === 'block'))
    child.process.kill('SIGTERM')
    expect(await child.ended).toMatchObject({ code: 143 })
    expect(messages()).toEqual([...EVENTS, 'reloaded, aborted: false'])
  })

  test('leaves signals alone where the variable says so', async () => {
    const env = { MICROMEGAS_SIGNAL_HANDLING: 'false' }
    const ended = await endBy('SIGTERM', 'main, signal-exit', {}, env)
    expect(ended).toMatchObject({ code: null, signal: 'SIGTERM' })
  })
})

/** Whether this machine lets us make a process the first one of a namespace, as in a container. */
function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['-Urpf', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.skipIf(!canUnshare())('the first process of a container ends by a signal too', async () => {
  const script = new URL('./fixtures/signals.mjs', import.meta.url).pathname
  const child = spawn('unshare', ['-Urpf', '--kill-child', process.execPath, script, 'nothing'], {
    env: { PATH: process.env.PATH, MICROMEGAS_TELEMETRY_URL: service.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })))
  await new Promise((resolve) =>
    child.stdout.on('data', (text) => String(text).includes('ready') && resolve(0)),
  )
  const [inner] = execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
  process.kill(Number(inner), 'SIGTERM')
  expect(await ended).toMatchObject({ code: 143 })
  expect(messages()).toEqual(EVENTS)
})
