import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { installConsoleCapture } from '../../src/interop/console-capture.ts'
import type { LogEntry } from '../../src/model/event-sink.ts'
import { Level } from '../../src/model/level.ts'
import { startRecording } from './support/recording.ts'

const hostConsole = globalThis.console
let written = ''

beforeEach(() => {
  written = ''
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      written += String(chunk)
      callback()
    },
  })
  globalThis.console = new Console({ stdout: stream, stderr: stream }) as unknown as typeof console
})

afterEach(() => {
  globalThis.console = hostConsole
})

test('what is written is recorded with the level of its method, and still written', async () => {
  await using recording = startRecording()
  const release = installConsoleCapture()
  console.debug('a')
  console.log('b')
  console.info('c')
  console.warn('d')
  console.error('e')
  release()
  const logs = recording.read().logs()
  expect(logs.map(({ level, target, msg }) => [level, target, msg])).toEqual([
    [Level.Debug, 'console', 'a'],
    [Level.Info, 'console', 'b'],
    [Level.Info, 'console', 'c'],
    [Level.Warn, 'console', 'd'],
    [Level.Error, 'console', 'e'],
  ])
  expect(written).toBe('a\nb\nc\nd\ne\n')
})

test('the message is what util.format makes of the arguments', async () => {
  await using recording = startRecording()
  const release = installConsoleCapture()
  console.log('%s is %d, %j', 'x', 42, { a: 1 }, [2], new Map([['k', 1]]))
  console.log('100%s')
  console.log()
  console.log({ nested: { deep: { deeper: {} } } })
  console.error(new TypeError('broken'))
  release()
  const messages = recording
    .read()
    .logs()
    .map(({ msg }) => msg)
  expect(messages.slice(0, 4)).toEqual([
    'x is 42, {"a":1} [ 2 ] Map(1) { \'k\' => 1 }',
    '100%s',
    '',
    '{ nested: { deep: { deeper: {} } } }',
  ])
  expect(messages[4]).toMatch(/^TypeError: broken\n {4}at .*console-capture\.test\.ts/)
})

test('a failed assertion is one error, a held one is nothing', async () => {
  await using recording = startRecording()
  const release = installConsoleCapture()
  console.assert(true, 'held')
  console.assert(false)
  console.assert(0, 'cart %s', 'c1')
  console.assert(null, ...([{ cart: 1 }] as unknown as [string]))
  release()
  const logs = recording.read().logs()
  expect(logs.map(({ level, msg }) => [level, msg])).toEqual([
    [Level.Error, 'Assertion failed'],
    [Level.Error, 'Assertion failed: cart c1'],
    [Level.Error, 'Assertion failed: { cart: 1 }'],
  ])
  expect(written).toContain('Assertion failed: cart c1')
})

test('a trace is recorded once, at trace level, with the stack of its caller', async () => {
  await using recording = startRecording()
  const release = installConsoleCapture()
  console.trace('at %s', 'here')
  release()
  const [log, ...others] = recording.read().logs()
  expect(others).toEqual([])
  expect(log!.level).toBe(Level.Trace)
  expect(log!.msg).toMatch(/^at here\n {4}at .*console-capture\.test\.ts/)
  expect(written).toMatch(/^Trace: at here\n/)
})

test('objects that are looked into are recorded as they are shown, without colours', async () => {
  await using recording = startRecording()
  const release = installConsoleCapture()
  const nested = { a: { b: { c: { d: 1 } } }, [Symbol.for('nodejs.util.inspect.custom')]: () => 'custom' }
  console.dir(nested, { depth: 0, colors: true })
  console.dir(nested, null as never)
  console.dirxml({ a: 1 }, 'and')
  release()
  const [symbol] = /\[?Symbol\(nodejs\.util\.inspect\.custom\)\]?/.exec(
    inspect(nested, { customInspect: false }),
  )! // by the version of Node
  const logs = recording.read().logs()
  expect(logs.map(({ level, msg }) => [level, msg.replace(/\s+/g, ' ')])).toEqual([
    [Level.Info, `{ a: [Object], ${symbol}: [Function: [nodejs.util.inspect.custom]] }`],
    [Level.Info, `{ a: { b: { c: [Object] } }, ${symbol}: [Function: [nodejs.util.inspect.custom]] }`],
    [Level.Info, '{ a: 1 } and'],
  ])
})

test('escape sequences that the program writes are not recorded', async () => {
  await using recording = startRecording()
  const release = installConsoleCapture()
  console.log('\u001b[31mred\u001b[39m')
  console.warn('\u001b[1m%s\u001b[22m', 'bold')
  release()
  const logs = recording.read().logs()
  expect(logs.map(({ msg }) => msg)).toEqual(['red', 'bold'])
  expect(written).toBe('\u001b[31mred\u001b[39m\n\u001b[1mbold\u001b[22m\n')
})

test('methods that are built on others are recorded once', async () => {
  await using recording = startRecording()
  const release = installConsoleCapture()
  console.table([{ a: 1 }])
  console.count('hits')
  release()
  const messages = recording
    .read()
    .logs()
    .map(({ msg }) => msg)
  expect(messages).toHaveLength(2)
  expect(messages[0]).toContain('│ a │')
  expect(messages[1]).toBe('hits: 1')
})

test('a sink that itself writes to the console makes no further events', async () => {
  const shown: string[] = []
  const onLog = (entry: LogEntry): void => {
    shown.push(entry.msg)
    console.log(`shown: ${entry.msg}`)
    console.error('and again')
  }
  await using recording = startRecording({ onLog })
  const release = installConsoleCapture()
  console.warn('once')
  release()
  expect(shown).toEqual(['once'])
  expect(recording.read().logs()).toHaveLength(1)
  expect(written).toBe('shown: once\nand again\nonce\n')
})

test('levels that are filtered out are not formatted', async () => {
  await using recording = startRecording({ interopMaxLevel: Level.Warn })
  const release = installConsoleCapture()
  let inspections = 0
  const value = {
    [Symbol.for('nodejs.util.inspect.custom')]() {
      inspections++
      return 'value'
    },
  }
  console.log(value)
  expect(inspections).toBe(1)
  console.warn(value)
  expect(inspections).toBe(3)
  release()
  expect(
    recording
      .read()
      .logs()
      .map(({ msg }) => msg),
  ).toEqual(['value'])
})

test('an argument that cannot be inspected behaves as without the capture, and counts as invalid', async () => {
  await using recording = startRecording()
  const hostile = {
    [Symbol.for('nodejs.util.inspect.custom')]() {
      throw new Error('no')
    },
  }
  expect(() => console.log(hostile)).toThrow('no')
  const release = installConsoleCapture()
  expect(() => console.log(hostile)).toThrow('no')
  console.log('fine')
  release()
  expect(
    recording
      .read()
      .logs()
      .map(({ msg }) => msg),
  ).toEqual(['fine'])
})

test('a message beyond the limit is cut where it is recorded and whole where it is written', async () => {
  await using recording = startRecording()
  const release = installConsoleCapture()
  console.log('x'.repeat(300_000))
  release()
  const [log] = recording.read().logs()
  expect(log!.msg).toMatch(/^x{262000,262144}… \[\d+ more characters\]$/)
  expect(log!.msg.length).toBeLessThan(262_200)
  expect(written).toHaveLength(300_001)
})

test('installed twice it records once, until the last release', async () => {
  await using recording = startRecording()
  const original = console.log
  const first = installConsoleCapture()
  const second = installConsoleCapture()
  console.log('one')
  first()
  first()
  console.log('two')
  second()
  console.log('three')
  expect(console.log).toBe(original)
  expect(
    recording
      .read()
      .logs()
      .map(({ msg }) => msg),
  ).toEqual(['one', 'two'])
})

test('a function that others have wrapped since is left in the chain, silent', async () => {
  await using recording = startRecording()
  const release = installConsoleCapture()
  const captured = console.log
  console.log = (...args: unknown[]) => captured('[prefix]', ...args)
  console.log('recorded')
  release()
  console.log('not recorded')
  const again = installConsoleCapture()
  console.log('recorded again')
  again()
  expect(
    recording
      .read()
      .logs()
      .map(({ msg }) => msg),
  ).toEqual(['[prefix] recorded', 'recorded again'])
  expect(written).toBe('[prefix] recorded\n[prefix] not recorded\n[prefix] recorded again\n')
})

test('the functions keep name, length and result, and work without their console', () => {
  const { name, length } = console.log
  const release = installConsoleCapture()
  expect(console.log.name).toBe(name)
  expect(console.log.length).toBe(length)
  const { log } = console
  expect(log('detached')).toBeUndefined()
  release()
  expect(written).toBe('detached\n')
  expect(Object.keys(console)).not.toContain('micromegas.consoleCapture')
})

test('a frozen console is left as it is', async () => {
  await using recording = startRecording()
  Object.freeze(console)
  const release = installConsoleCapture()
  console.log('frozen')
  release()
  release()
  expect(written).toBe('frozen\n')
  expect(recording.read().logs()).toEqual([])
})
