import { Level } from '../../../src/model/level.ts'
import { dispatch } from '../../../src/tracing/dispatch.ts'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { recordLog } from '../../../src/tracing/logs/record-log.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'
import { type ExpectedRecord, LONG, LONG_UNICODE, UNICODE, UNICODE_NAME } from './expected.ts'

export function recordLogs(expected: ExpectedRecord[]): void {
  recordPlainLogs(expected)
  recordTaggedLogs(expected)
  recordInteropLogs(expected)
  recordLongLogs(expected)
}

function logDesc(level: Level, target: string, format: string): ExpectedRecord {
  const module = { module_path: target, file: '', line: 0 }
  return { type: 'LogMetadataRecord', fmt_str: format, target, ...module, level }
}

function recordPlainLogs(expected: ExpectedRecord[]): void {
  const log = logger('conformance')
  const isStatic = (level: Level, target: string, text: string) =>
    expected.push({ type: 'LogStaticStrEvent', desc: logDesc(level, target, text) })
  const isText = (level: Level, target: string, format: string, msg: string) =>
    expected.push({ type: 'LogStringEventV2', desc: logDesc(level, target, format), msg })

  log.fatal('fatal')
  isStatic(Level.Fatal, 'conformance', 'fatal')
  log.error('error')
  isStatic(Level.Error, 'conformance', 'error')
  log.warn('warn')
  isStatic(Level.Warn, 'conformance', 'warn')
  log.info('info')
  isStatic(Level.Info, 'conformance', 'info')
  log.debug('debug')
  isStatic(Level.Debug, 'conformance', 'debug')
  log.trace('trace')
  isStatic(Level.Trace, 'conformance', 'trace')
  dispatch.seal()

  for (const text of ['', UNICODE, 'nul \0 tab \t line \n quote " backslash \\', 'x'.repeat(512)]) {
    log.info(text)
    isStatic(Level.Info, 'conformance', text)
    log.info(text)
    isStatic(Level.Info, 'conformance', text)
  }
  log.info('lone surrogates \ud83e and \udd80')
  isStatic(Level.Info, 'conformance', 'lone surrogates \ufffd and \ufffd')
  for (const target of ['', UNICODE_NAME, 'a.b.c']) {
    logger(target).warn('with a target')
    isStatic(Level.Warn, target, 'with a target')
  }
  for (const value of [0, -1, 2 ** 31, -(2 ** 31), 2 ** 53, 1.5, -0, Number.NaN, 5e-324]) {
    log.info`number ${value}!`
    isText(Level.Info, 'conformance', 'number {}!', `number ${value}!`)
  }
  for (const value of ['', UNICODE, 10n ** 30n, true, null, undefined, { a: [1, 'b'] }, Symbol('s')]) {
    log.debug`${value}`
    const shown = typeof value === 'object' && value !== null ? '{"a":[1,"b"]}' : String(value)
    isText(Level.Debug, 'conformance', '{}', shown)
  }
  for (let i = 0; i < 3; i++) {
    log.info`from ${'ada'} to ${i}`
    isText(Level.Info, 'conformance', 'from {} to {}', `from ada to ${i}`)
    log.info`${i}, ${'two'}, ${[3]} and ${UNICODE}`
    isText(Level.Info, 'conformance', '{}, {}, {} and {}', `${i}, two, [3] and ${UNICODE}`)
  }
  log.info`no value {}`
  isStatic(Level.Info, 'conformance', 'no value {}')
  log.info('text and', 42, true)
  isText(Level.Info, 'conformance', '{}', 'text and 42 true')
  dispatch.seal()
}

function recordTaggedLogs(expected: ExpectedRecord[]): void {
  const log = logger('conformance.tagged')
  const isTagged = (msg: string, properties: [string, string][]) =>
    expected.push({
      type: 'TaggedLogString',
      desc: logDesc(Level.Info, 'conformance.tagged', msg),
      properties,
      msg,
    })
  const isInterop = (msg: string, properties: [string, string][]) =>
    expected.push({
      type: 'TaggedLogInteropEvent',
      level: Level.Info,
      target: 'conformance.tagged',
      properties,
      msg,
    })

  log.info('one', { region: 'eu' })
  isTagged('one', [['region', 'eu']])
  const set = propertySet({ z: 1, a: 'first', 'http.method': 'GET', empty: '', '': 'no name' })
  const pairs: [string, string][] = [
    ['z', '1'],
    ['a', 'first'],
    ['http.method', 'GET'],
    ['empty', ''],
    ['', 'no name'],
  ]
  for (const text of ['', UNICODE, 'again']) {
    log.info(text, set)
    isTagged(text, pairs)
  }
  log.info('no properties', {})
  isTagged('no properties', [])
  log.info('unicode', { [UNICODE_NAME]: UNICODE, 'lone \ud83e': '\udd80' })
  isTagged('unicode', [
    [UNICODE_NAME, UNICODE],
    ['lone \ufffd', '\ufffd'],
  ])
  log.info('long', { long: LONG.slice(0, 8192) })
  isTagged('long', [['long', LONG.slice(0, 8192)]])
  const many = Array.from({ length: 128 }, (_, i): [string, string] => [`key ${i}`, `value ${i % 7}`])
  log.info('many', Object.fromEntries(many))
  isTagged('many', many)
  log.with({ request: 'r-1' }).info`user ${'ada'}`
  expected.push({
    type: 'TaggedLogString',
    desc: logDesc(Level.Info, 'conformance.tagged', 'user {}'),
    properties: [['request', 'r-1']],
    msg: 'user ada',
  })
  // In the new block the set has to be listed again.
  dispatch.seal()
  log.info('set in another block', set)
  isTagged('set in another block', pairs)
  // As properties of a TaggedLogString these would replace columns, and an unknown level would cost the block.
  log.info('override', { level: 'WARN', target: 'elsewhere' })
  isInterop('override', [
    ['level', 'WARN'],
    ['target', 'elsewhere'],
  ])
  log.info(UNICODE, { level: UNICODE })
  isInterop(UNICODE, [['level', UNICODE]])
  log.info('', { target: '' })
  isInterop('', [['target', '']])
  dispatch.seal()
}

function recordInteropLogs(expected: ExpectedRecord[]): void {
  const isInterop = (level: Level, target: string, msg: string) =>
    expected.push({ type: 'LogStringInteropEventV3', level, target, msg })
  for (const level of [Level.Fatal, Level.Error, Level.Warn, Level.Info, Level.Debug, Level.Trace]) {
    recordLog(level, 'interop', `level ${level}`)
    isInterop(level, 'interop', `level ${level}`)
  }
  for (const text of ['', UNICODE, LONG.slice(0, 5000)]) {
    recordLog(Level.Info, text.slice(0, 200), text)
    isInterop(Level.Info, text.slice(0, 200), text)
  }
  recordLog(Level.Warn, 'interop', 'tagged', { id: 7, level: 'any' })
  expected.push({
    type: 'TaggedLogInteropEvent',
    level: Level.Warn,
    target: 'interop',
    properties: [
      ['id', '7'],
      ['level', 'any'],
    ],
    msg: 'tagged',
  })
  dispatch.seal()
}

/** Sections of several LZ4 blocks, and an object section longer than a block of this SDK. */
function recordLongLogs(expected: ExpectedRecord[]): void {
  const log = logger('conformance.long')
  const desc = logDesc(Level.Info, 'conformance.long', '{}')
  for (const msg of [LONG, LONG_UNICODE, LONG, LONG_UNICODE]) {
    log.info(msg)
    expected.push({ type: 'LogStringEventV2', desc, msg })
  }
  log.info(LONG, { long: 'too' })
  expected.push({ type: 'TaggedLogString', desc, properties: [['long', 'too']], msg: LONG })
  dispatch.seal()
}
