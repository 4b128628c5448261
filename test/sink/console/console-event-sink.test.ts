import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { LogEntry } from '../../../src/model/event-sink.ts'
import { Level } from '../../../src/model/level.ts'
import { ConsoleEventSink, formatEntry } from '../../../src/sink/console/console-event-sink.ts'
import { program } from '../../support/program.ts'

function entry(message: string, over: Partial<LogEntry> = {}): LogEntry {
  return {
    timeMs: 1_700_000_000_123,
    level: Level.Info,
    target: 'shop',
    msg: message,
    properties: undefined,
    ...over,
  }
}

const show = (message: string, over?: Partial<LogEntry>): string => formatEntry(entry(message, over), false)

test('a line shows time, level, target, message and properties', () => {
  expect(show('ready')).toBe('2023-11-14T22:13:20.123Z INFO  shop: ready')
  expect(
    show('slow', {
      level: Level.Error,
      target: '',
      properties: { region: 'eu', note: 'two words', empty: '' },
    }),
  ).toBe('2023-11-14T22:13:20.123Z ERROR slow region=eu note="two words" empty=""')
})

test('what the host wrote to its console itself is not shown again', async () => {
  const stdout = new PassThrough()
  const sink = new ConsoleEventSink({ stdout, colors: false })
  sink.onLog(entry('from console.log', { target: 'console' }))
  sink.onLog(entry('from a logger'))
  await sink.flush()
  stdout.end()
  expect(await text(stdout)).toBe('2023-11-14T22:13:20.123Z INFO  shop: from a logger\n')
})

test('the lines of a stack are indented, so that no message can forge a line', () => {
  expect(show('boom\n    at f (a.js:1)\r\n2023-11-14T22:13:20.123Z INFO  forged')).toBe(
    '2023-11-14T22:13:20.123Z INFO  shop: boom\n        at f (a.js:1)\n    2023-11-14T22:13:20.123Z INFO  forged',
  )
})

test('what a terminal would act on is shown as escapes, in messages, targets and properties', () => {
  const esc = String.fromCharCode(27)
  expect(show(`a${esc}[2Jb\u0007c\u009bd\re\tf`)).toContain('a\\x1b[2Jb\\x07c\\x9bd\\x0de\tf')
  expect(show('x\u202egnp.exe')).toContain('x\\u202egnp.exe')
  const line = show('m', { target: `t${esc}[31m`, properties: { [`k${esc}`]: `v${esc}\n` } })
  expect(line).not.toContain(esc)
  expect(line.split('\n')).toHaveLength(1)
  expect(show('naïve — 日本 🎉')).toContain('naïve — 日本 🎉')
})

test('a message is cut at 64 Ki characters', () => {
  expect(show('x'.repeat(65_536)).length).toBe(65_536 + '2023-11-14T22:13:20.123Z INFO  shop: '.length)
  expect(show('x'.repeat(65_537))).toMatch(/x… \(1 more characters\)$/)
})

test('levels are coloured when asked for, and never otherwise', () => {
  const esc = String.fromCharCode(27)
  const colored = Object.values(Level).map((level) => formatEntry(entry('m', { level }), true))
  expect(colored.every((line) => line.includes(esc))).toBe(true)
  expect(new Set(colored.map((line) => line.slice(0, 50))).size).toBe(colored.length)
  expect(show('m')).not.toContain(esc)
})

test('warnings and errors go to the standard error stream, the rest to the standard output', async () => {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const sink = new ConsoleEventSink({ stdout, stderr })
  for (const level of Object.values(Level)) sink.onLog(entry(`level ${level}`, { level }))
  await sink.shutdown()
  expect((await text(stdout.end())).match(/level \d/g)).toEqual(['level 4', 'level 5', 'level 6'])
  expect((await text(stderr.end())).match(/level \d/g)).toEqual(['level 0', 'level 1', 'level 2', 'level 3'])
})

test('a reader that does not keep up costs lines, which are counted, and no memory', async () => {
  let release: (() => void) | undefined
  let shown = ''
  const slow = new Writable({
    write(chunk, _encoding, done) {
      shown += chunk
      if (release === undefined) release = done
      else done()
    },
  })
  const sink = new ConsoleEventSink({ stdout: slow, stderr: slow })
  const line = 'y'.repeat(60_000)
  for (let i = 0; i < 200; i++) sink.onLog(entry(line))
  expect(slow.writableLength).toBeLessThan(5 * 1024 * 1024)
  release?.()
  await sink.flush()
  sink.onLog(entry('after'))
  await sink.flush()
  expect(shown).toMatch(/… 1\d\d lines were not shown\n.* shop: after\n$/)
})

test('a flush does not wait for a reader for ever', async () => {
  const stuck = new Writable({ write() {} })
  const sink = new ConsoleEventSink({ stdout: stuck, stderr: stuck })
  sink.onLog(entry('m'))
  await sink.flush({ signal: AbortSignal.timeout(30) })
  await sink.shutdown()
  sink.onLog(entry('after the shutdown'))
})

test('a stream that fails or is closed costs lines and throws nothing, and errors of the host stay its own', async () => {
  const broken = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    },
  })
  const sink = new ConsoleEventSink({ stdout: broken, stderr: broken })
  sink.onLog(entry('m'))
  await new Promise((resolve) => broken.once('close', resolve))
  sink.onLog(entry('m'))
  await sink.flush()
  await new Promise((resolve) => setImmediate(resolve))
  expect(broken.listenerCount('error')).toBe(0)
})

const script = program(new URL('../fixtures/console-lines.ts', import.meta.url))

test('a program whose reader is gone runs to its end', async () => {
  const child = spawn(process.execPath, [script, '5000'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  child.stdout.once('data', () => child.stdout.destroy())
  const [code] = await once(child, 'close')
  expect({ code, errors }).toEqual({ code: 0, errors: 'done\n' })
})

test.each([
  [{}, false],
  [{ FORCE_COLOR: '1' }, true],
  [{ FORCE_COLOR: '0' }, false],
  [{ NO_COLOR: '1' }, false],
])('into a pipe with %o, lines are coloured: %s', async (env, colored) => {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env
  const child = spawn(process.execPath, [script, '1'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...inherited, ...env },
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child, 'close')
  expect(output.includes(String.fromCharCode(27))).toBe(colored)
  expect(output).toContain('line 0')
})
