import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../../src/model/event-sink.ts'
import { Level, levelName } from '../../src/model/level.ts'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { type Logger, logger } from '../../src/tracing/logs/logger.ts'
import { recordLog } from '../../src/tracing/logs/record-log.ts'
import { propertySet } from '../../src/tracing/values/property-set.ts'
import { BlockCollector } from './support/block-collector.ts'
import { startRecording } from './support/recording.ts'

const log = logger('test.logger')
const METHODS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

/** A sink that shows logs at once, and keeps what it showed. */
class EntryCollector extends BlockCollector {
  readonly entries: LogEntry[] = []

  onLog(entry: LogEntry): void {
    this.entries.push(entry)
  }
}

describe('the six methods', () => {
  test('record their level, the target and the message', async () => {
    await using recording = startRecording()
    for (const method of METHODS) log[method](`a ${method} message`)
    for (const method of METHODS) log[method]`a ${method} message`
    const rows = recording.logs().map(({ level, target, msg }) => ({ level, target, msg }))
    const expected = METHODS.map((method, i) => ({
      level: i + 1,
      target: 'test.logger',
      msg: `a ${method} message`,
    }))
    expect(rows).toEqual([...expected, ...expected])
  })

  test('may be taken off their logger', async () => {
    await using recording = startRecording()
    const { info } = log
    info('free')
    expect(recording.messages()).toEqual(['free'])
  })

  test('stamp each event with the clock, between the calls around it', async () => {
    await using recording = startRecording()
    const before = process.hrtime.bigint()
    log.info('now')
    const after = process.hrtime.bigint()
    const time = recording.events('log')[0]!.get('time') as bigint
    expect(time >= before && time <= after).toBe(true)
  })
})

describe('a template', () => {
  test('is a static event when it has no values, and its text is listed once a block', async () => {
    await using recording = startRecording()
    for (let i = 0; i < 100; i++) log.info`ready`
    expect(recording.events('log').map((event) => event.typeName)).toEqual(
      new Array(100).fill('LogStaticStrEvent'),
    )
    const [block] = recording.blocks('log')
    expect(Buffer.from(block!.dependencies).toString('latin1').split('ready').length).toBe(2)
  })

  test.each([
    ['integers', [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, 1e21]],
    ['fractions', [0.1, -1e-7, 5e-324, -1.7976931348623157e308, -1.2345678901234567e-308]],
    ['numbers that are none', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]],
    ['texts', ['', 'plain', 'é€😀', 'x'.repeat(1000), '\u{10ffff}']],
    ['other primitives', [true, null, undefined, 12n]],
  ])('renders %s as String does, at first and later uses, for any count of values', async (_, values) => {
    await using recording = startRecording()
    const expected: string[] = []
    for (const value of values) {
      log.info`one ${value}`
      log.info`two ${value}, ${value}.`
      log.info`${value}${value}${value}`
      const text = String(value)
      expected.push(`one ${text}`, `two ${text}, ${text}.`, `${text}${text}${text}`)
    }
    expect(recording.messages()).toEqual(expected)
  })

  test('renders any number of values', async () => {
    await using recording = startRecording()
    const expected: string[] = []
    for (let i = 0; i < 3; i++) {
      log.info`${i}, ${'two'}, ${[3]}, ${null} and ${5n}`
      log.info`${'x'.repeat(100_000)}${'y'.repeat(100_000)}${'z'.repeat(100_000)}${i}`
      expected.push(`${i}, two, [3], null and 5`)
    }
    const messages = recording.messages()
    expect(messages.filter((_, i) => i % 2 === 0)).toEqual(expected)
    const long = new Set(messages.filter((_, i) => i % 2 === 1))
    expect([...long].map((message) => message.slice(262_107))).toEqual(['z… [37892 more characters]'])
  })

  test('carries its format as the text of its call site, whatever the values', async () => {
    await using recording = startRecording()
    for (let i = 0; i < 3; i++) log.info`user ${i} logged in from ${'here'}`
    const formats = recording.events('log').map((event) => {
      const desc = event.get('desc') as { get(name: string): unknown }
      return desc.get('fmt_str')
    })
    expect(formats).toEqual(new Array(3).fill('user {} logged in from {}'))
  })

  test('with an escape that has no cooked form is recorded raw', async () => {
    await using recording = startRecording()
    log.info`bad \unicode ${1}`
    expect(recording.messages()).toEqual(['bad \\unicode 1'])
  })

  test('that a wrapper passes on with more or fewer values than it has places for never throws', async () => {
    await using recording = startRecording()
    const wrapper = (strings: TemplateStringsArray, ...values: unknown[]) => {
      log.info(strings, ...values, 'extra')
      log.info(strings, ...values.slice(1))
    }
    for (let i = 0; i < 3; i++) {
      wrapper`one ${i}`
      wrapper`two ${i} ${i}`
      wrapper`none`
    }
    const messages = recording.messages()
    expect(messages.length).toBe(18)
    expect(messages.slice(12)).toEqual(messages.slice(6, 12).map((m) => m.replaceAll('1', '2')))
    expect(messages[0]).toBe('one 0')
    expect(messages[2]).toBe('two 0 0')
  })

  test('renders its values once, though the event goes to a block and to a sink that shows it', async () => {
    const live = new EntryCollector()
    await using recording = startRecording({ sinks: [{ sink: live, maxLevel: Level.Info }] })
    let count = 0
    const counter = { toString: () => String(++count) }
    for (let i = 0; i < 2; i++) log.info`count ${counter}`
    expect(recording.messages()).toEqual(['count 1', 'count 2'])
    expect(live.entries.map(({ msg }) => msg)).toEqual(['count 1', 'count 2'])
  })

  test('does not render values of a level that is off', async () => {
    await using recording = startRecording({
      filters: { maxLevel: Level.Info, targetMaxLevels: {}, interopMaxLevel: Level.Trace },
    })
    log.debug`never ${{ toString: () => expect.fail('rendered') }}`
    expect(recording.messages()).toEqual([])
  })
})

describe('a text', () => {
  test('that comes again is a static event', async () => {
    await using recording = startRecording()
    for (let i = 0; i < 3; i++) log.info('same again')
    expect(recording.events('log').map((event) => event.typeName)).toEqual(
      new Array(3).fill('LogStaticStrEvent'),
    )
    expect(recording.messages()).toEqual(new Array(3).fill('same again'))
  })

  test('that is another one each time is soon no longer remembered; one that comes again still is', async () => {
    await using recording = startRecording()
    const ever = logger('ever.new')
    const typesOf = (from: number): string[] =>
      recording
        .events('log')
        .slice(from)
        .map((event) => event.typeName)
    for (let i = 0; i < 10_000; i++) ever.info(`order ${i}`)
    const remembered = typesOf(0).filter((type) => type === 'LogStaticStrEvent').length
    expect(remembered).toBeLessThan(64 + (10_000 / 64) * 2)
    for (let i = 0; i < 2_000; i++) ever.info('the same again')
    expect(typesOf(11_999)).toEqual(['LogStaticStrEvent'])
    const messages = recording.messages()
    expect(messages.slice(0, 10_000)).toEqual(Array.from({ length: 10_000 }, (_, i) => `order ${i}`))
    expect(messages.slice(10_000)).toEqual(new Array(2_000).fill('the same again'))
  })

  test('is tagged by plain objects and property sets, the last of a name winning', async () => {
    await using recording = startRecording()
    log.info('object', { region: 'eu', n: 1, none: undefined, nil: null })
    log.info('set', propertySet({ region: 'us' }))
    log.info('both', { a: '1', b: '1' }, propertySet({ b: '2' }))
    expect(recording.logs().map(({ msg, properties }) => ({ msg, properties }))).toEqual([
      { msg: 'object', properties: { region: 'eu', n: '1' } },
      { msg: 'set', properties: { region: 'us' } },
      { msg: 'both', properties: { a: '1', b: '2' } },
    ])
  })

  test('that is missing is recorded as undefined', async () => {
    await using recording = startRecording()
    for (let i = 0; i < 2; i++) (log.info as () => void)()
    expect(recording.messages()).toEqual(['undefined', 'undefined'])
  })

  test('with a property set is tagged at its first use and later, in every block', async () => {
    await using recording = startRecording()
    const [eu, us] = [propertySet({ region: 'eu' }), propertySet({ region: 'us' })]
    const bound = log.with(eu)
    for (let i = 0; i < 6; i++) {
      log.info('order placed', i % 2 === 0 ? eu : us)
      bound.info('bound text')
      bound.info`bound template`
      log.info('order placed', propertySet({ level: 'warn' }))
      log.info('order placed')
      if (i % 2 === 1) dispatch.seal()
    }
    const regions = recording.logs().map(({ msg, properties }) => `${msg} ${properties.region}`)
    expect(regions).toEqual(
      Array.from({ length: 6 }, (_, i) => [
        `order placed ${i % 2 === 0 ? 'eu' : 'us'}`,
        'bound text eu',
        'bound template eu',
        'order placed undefined',
        'order placed undefined',
      ]).flat(),
    )
    expect(recording.blocks('log').length).toBe(3)
  })

  test('is followed by other details as text, and by the stacks of errors', async () => {
    await using recording = startRecording()
    log.info('values', 1, 'two', [3], undefined)
    const error = new Error('boom', { cause: new TypeError('inner') })
    log.error('failed', error, { id: 7 })
    log.error(error)
    const [values, failed, bare] = recording.logs()
    expect(values!.msg).toBe('values 1 two [3] undefined')
    expect(failed!.msg).toContain(`failed\n${error.stack!}\ncaused by: TypeError: inner`)
    expect(failed!.properties).toEqual({ id: '7' })
    expect(bare!.msg.startsWith(error.stack!)).toBe(true)
  })

  test.each([
    ['of 10 MB', () => 'm'.repeat(10_000_000)],
    ['in a template', () => 'm'.repeat(10_000_000)],
  ])('%s is cut to 262144 characters and says how many are missing', async (kind, make) => {
    await using recording = startRecording()
    for (let i = 0; i < 2; i++) {
      if (kind === 'of 10 MB') log.info(make())
      else log.info`${make()}${''}${''}`
      recordLog(Level.Info, 'interop', make())
    }
    const kept = 262_144 - 36
    const cut = `${'m'.repeat(kept)}… [${10_000_000 - kept} more characters]`
    for (const message of recording.messages()) expect(message === cut).toBe(true)
  })

  test('is not cut within a surrogate pair', async () => {
    await using recording = startRecording()
    log.info(`x${'😀'.repeat(200_000)}`)
    expect(recording.messages()[0]).not.toContain('\ufffd')
  })

  test('with lone surrogates, NUL or nothing in it arrives, the surrogates replaced', async () => {
    await using recording = startRecording()
    for (const text of ['\ud800', 'a\udfffb', '\0', '']) {
      log.info(text)
      log.info`value ${text} end`
      log.info(text, { '\ud800': '\udc00' })
    }
    expect(recording.messages()).toEqual(
      ['\ufffd', 'a\ufffdb', '\0', ''].flatMap((text) => [text, `value ${text} end`, text]),
    )
    expect(recording.logs()[2]!.properties).toEqual({ '\ufffd': '\ufffd' })
  })
})

describe('with', () => {
  test('tags every event, texts and templates, and adds up', async () => {
    await using recording = startRecording()
    const request = log.with({ request: 1 }).with({ user: 'bob' })
    request.info('static')
    request.info`template ${1}`
    request.info('more', { user: 'eve', n: 2 })
    expect(recording.logs().map(({ properties }) => properties)).toEqual([
      { request: '1', user: 'bob' },
      { request: '1', user: 'bob' },
      { request: '1', user: 'eve', n: '2' },
    ])
    expect(request.target).toBe('test.logger')
  })
})

describe('properties named like a column', () => {
  test.each(['warn', 'INFO', 'info', 'error', 'anything'])(
    'leave level and target alone, and a level of %s does not cost the block',
    async (level) => {
      await using recording = startRecording()
      log.info('tagged', { level, target: 'elsewhere' })
      log.with({ level }).warn`tagged ${1}`
      recordLog(Level.Error, 'interop', 'tagged', { level, target: 'elsewhere' })
      expect(recording.logs().map(({ level: l, target }) => `${levelName(l)} ${target}`)).toEqual([
        'info test.logger',
        'warn test.logger',
        'error interop',
      ])
      expect(recording.logs()[0]!.properties).toEqual({ level, target: 'elsewhere' })
    },
  )
})

describe('logger', () => {
  test('gives one logger a target', () => {
    expect(logger('one')).toBe(logger('one'))
    expect(logger('one')).not.toBe(logger('two'))
    expect(logger('').target).toBe('')
  })

  test('records what is logged while a value is rendered, before the event that holds it', async () => {
    await using recording = startRecording()
    const chatty = {
      toString() {
        log.info`rendering ${1}`
        return 'chatty'
      },
    }
    for (let i = 0; i < 2; i++) log.info`outer ${chatty}`
    expect(recording.messages()).toEqual(['rendering 1', 'outer chatty', 'rendering 1', 'outer chatty'])
  })

  test('knows whether a level is on', async () => {
    const enabled = (of: Logger) => Object.values(Level).filter((level) => of.isEnabled(level))
    await using _ = startRecording({
      filters: {
        maxLevel: Level.Warn,
        targetMaxLevels: { 'test.logger': Level.Debug },
        interopMaxLevel: Level.Trace,
      },
    })
    expect(enabled(log)).toEqual([1, 2, 3, 4, 5])
    expect(enabled(logger('test'))).toEqual([1, 2, 3])
    expect(enabled(log.with({ a: 1 }))).toEqual([1, 2, 3, 4, 5])
  })
})

test('recordLog refuses levels that are none, and takes everything else', async () => {
  await using recording = startRecording()
  for (const level of [0, -1, 7, Number.NaN, 2.5]) recordLog(level as Level, 't', 'odd level')
  recordLog(Level.Trace, 't', 'trace')
  expect(recording.messages()).toEqual(['trace'])
  expect(dispatch.stats.log.invalid).toBe(0)
})
