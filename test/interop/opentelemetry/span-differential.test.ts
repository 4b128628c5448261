import { runInNewContext } from 'node:vm'
import {
  context,
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { hrTime } from '@opentelemetry/core'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { expect, test } from 'vitest'
import { Level } from '../../../src/model/level.ts'
import { renderValue } from '../../../src/tracing/values/render-value.ts'
import type { Recording } from '../support/recording.ts'
import { outcomeOf, withBridge, withReference } from './support/both.ts'

/** What is recorded of a span, in words that both sides have. */
interface Shown {
  attributes: Record<string, string>
  kind: string
  status: [code: string, message: string]
  events: [name: string, attributes: Record<string, string>][]
  /** Type, message and stack, as far as there are any. */
  exceptions: (string | undefined)[][]
  links: [ids: string, attributes: string][]
}

function ofReference(span: ReadableSpan): Shown {
  const isException = (name: string): boolean => name === 'exception'
  return {
    attributes: rendered(span.attributes),
    kind: SpanKind[span.kind],
    status: [SpanStatusCode[span.status.code], span.status.message ?? ''],
    events: span.events
      .filter(({ name }) => !isException(name))
      .map(({ name, attributes }) => [renderValue(name, 100), rendered(attributes ?? {})]),
    exceptions: span.events
      .filter(({ name }) => isException(name))
      .map(({ attributes: at = {} }) => [
        at['exception.type'] as string | undefined,
        at['exception.message'] as string | undefined,
        at['exception.stacktrace'] as string | undefined,
      ]),
    links: span.links.map((link) => [
      `${link.context?.traceId}-${link.context?.spanId}`,
      renderValue(rendered(JSON.parse(JSON.stringify(link.attributes ?? {}))), 1000),
    ]),
  }
}

const IDS = ['trace_id', 'span_id', 'async_span_id', 'parent_span_id']

function without(
  properties: Readonly<Record<string, string>>,
  keys: readonly string[],
): Record<string, string> {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !keys.includes(key)))
}

function ofBridge(recording: Recording, expected: Shown): Shown {
  const logs = recording.read().logs()
  const end = recording.read().asyncSpans().at(-1)!.properties
  const ids = (end['span.links'] ?? '').split(' ').filter(Boolean)
  const linkAttributes: Record<string, unknown>[] = JSON.parse(end['span.link_attributes'] ?? '[]')
  return {
    attributes: without(end, [
      ...IDS,
      ...Object.keys(end).filter((key) => /^(span|otel)\./.test(key) || key === 'exception.message'),
    ]),
    kind: end['span.kind']!,
    status: [end['span.status'] ?? 'UNSET', end['span.status_message'] ?? ''],
    events: logs
      .filter(({ level }) => level === Level.Debug)
      .map(({ msg, properties }) => [msg, without(properties, IDS)]),
    exceptions: logs
      .filter(({ level }) => level === Level.Error)
      .map(({ msg: message, properties }, i) => [
        properties['exception.type'],
        // The text is for people: what there is must be in it.
        ...expected.exceptions[i]!.slice(1).map((part) =>
          part !== undefined && message.includes(part) ? part : undefined,
        ),
      ]),
    links: ids.map((link, i) => [link, renderValue(rendered(linkAttributes[i] ?? {}), 1000)]),
  }
}

function rendered(attributes: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key, value]) => [key, renderValue(value, 8192)]),
  )
}

/** What breaks the types of the API. */
const odd = (value: unknown): never => value as never
const linked = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }
const failure = new Error('refused')
const far = runInNewContext('new RangeError("far")') as Error
const coded = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' })

const VALID = {
  text: 'a',
  empty: '',
  number: 0,
  infinite: Number.POSITIVE_INFINITY,
  yes: true,
  'array<string>': ['a', 'b'],
  'array<number>': [1, 2],
  'array<boolean>': [true, false],
  'array with gaps': ['a', null, undefined],
  'empty array': [],
}
const INVALID = {
  object: { a: 1 },
  mixed: [0, ''],
  nested: [['a']],
  '': 'a name that is empty',
  function: () => 1,
  symbol: Symbol('s'),
  bigint: 1n,
  date: new Date(0),
  error: failure,
  nothing: null,
  missing: undefined,
}

const cases: Record<string, (span: Span) => unknown> = {
  'an attribute, and another value of it': (span) => span.setAttribute('a', 1).setAttribute('a', 2),
  'a value that is null after another': (span) => span.setAttribute('a', 1).setAttribute('a', odd(null)),
  'valid attributes': (span) => span.setAttributes(odd(VALID)),
  'invalid attributes': (span) => span.setAttributes(odd(INVALID)),
  'invalid attributes, one by one': (span) => {
    for (const [key, value] of Object.entries(INVALID)) span.setAttribute(key, odd(value))
  },
  'no attributes': (span) => span.setAttributes(odd(null)).setAttributes(odd(undefined)),
  'attributes that are text': (span) => span.setAttributes(odd(42)),
  'an array that is changed afterwards': (span) => {
    const list = ['a']
    span.setAttribute('list', list)
    list.push('b')
  },
  'a name of the language’s': (span) => span.setAttribute('constructor', 1).setAttribute('toString', 2),
  'an attribute without a name': (span) => span.setAttribute(odd(undefined), 1),
  'an attribute after the end': (span) => {
    span.end()
    span.setAttribute('a', 1).setAttributes({ b: 2 })
  },
  'an event': (span) => span.addEvent('sent', { bytes: 1 }).addEvent('received'),
  'events with times': (span) =>
    span
      .addEvent('a', Date.now())
      .addEvent('b', new Date())
      .addEvent('c', hrTime())
      .addEvent('d', { x: 1 }, Date.now())
      .addEvent('e', performance.now(), odd(12)),
  'events with odd attributes': (span) =>
    span
      .addEvent('a', odd({ ...VALID, ...INVALID }))
      .addEvent('b', odd(null))
      .addEvent('c', odd('text')),
  'an event after the end': (span) => {
    span.end()
    span.addEvent('late')
  },
  'an error': (span) => span.recordException(failure),
  'an error with a code': (span) => span.recordException(coded),
  'an error with a time': (span) => span.recordException(failure, Date.now()),
  'a text for an exception': (span) => span.recordException('boom'),
  'an empty text for an exception': (span) => span.recordException(''),
  'an object with name, message and stack': (span) =>
    span.recordException({ name: 'Error', message: 'boom', stack: 'bar' }),
  'an object with code, message and stack': (span) =>
    span.recordException({ code: 'Error', message: 'boom', stack: 'bar' }),
  'an object with code and name': (span) => span.recordException({ code: 'E1', name: 'N', message: 'boom' }),
  'an object with a number for a code': (span) => span.recordException({ code: 12 }),
  'an object with a zero for a code': (span) => span.recordException({ code: 0, name: 'N' }),
  'an object with a message only': (span) => span.recordException({ message: 'boom' }),
  'an object with a name only': (span) => span.recordException({ name: 'N' }),
  'what is no exception': (span) => {
    for (const value of [1, true, null, undefined, {}, { foo: 'bar' }, { stack: 'bar' }, ['a'], Symbol('s')])
      span.recordException(odd(value))
  },
  'an error of another realm': (span) => span.recordException(far),
  'what is no exception, and a status': (span) => {
    span.recordException(odd(null))
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'gave up' })
  },
  'an exception after the end': (span) => {
    span.end()
    span.recordException(failure)
  },
  'a status of error': (span) => span.setStatus({ code: SpanStatusCode.ERROR, message: 'gave up' }),
  'a status of error without a message': (span) => span.setStatus({ code: SpanStatusCode.ERROR }),
  'a status of error with an odd message': (span) =>
    span.setStatus({ code: SpanStatusCode.ERROR, message: odd(failure) }),
  'a status of error with null for a message': (span) =>
    span.setStatus({ code: SpanStatusCode.ERROR, message: odd(null) }),
  'a status that is fine': (span) => span.setStatus({ code: SpanStatusCode.OK, message: 'ignored' }),
  'a status that is not set': (span) => span.setStatus({ code: SpanStatusCode.UNSET, message: 'ignored' }),
  'error after fine': (span) =>
    span.setStatus({ code: SpanStatusCode.OK }).setStatus({ code: SpanStatusCode.ERROR, message: 'late' }),
  'fine after error': (span) =>
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'a' }).setStatus({ code: SpanStatusCode.OK }),
  'not set after error': (span) =>
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'a' }).setStatus({ code: SpanStatusCode.UNSET }),
  'error after error': (span) =>
    span
      .setStatus({ code: SpanStatusCode.ERROR, message: 'a' })
      .setStatus({ code: SpanStatusCode.ERROR, message: 'b' }),
  'a status after the end': (span) => {
    span.end()
    span.setStatus({ code: SpanStatusCode.ERROR })
  },
  'no status': (span) => span.setStatus(odd(undefined)),
  links: (span) =>
    span
      .addLink({ context: linked, attributes: { reason: 'retry' } })
      .addLinks([{ context: linked }, { context: linked, attributes: { list: [1, 2] } }]),
  'links with invalid attributes': (span) =>
    span.addLink({ context: linked, attributes: odd({ ...VALID, ...INVALID, infinite: 1 }) }),
  'more than 128 links': (span) => {
    for (let i = 0; i < 140; i++) span.addLink({ context: linked, attributes: { i } })
  },
  'no links': (span) => span.addLinks([]),
  'links that are none': (span) => span.addLink(odd(undefined)).addLinks(odd(null)),
  'a link after the end': (span) => {
    span.end()
    span.addLink({ context: linked })
  },
  'another name': (span) => span.updateName('other'),
  'a name after the end': (span) => {
    span.end()
    span.updateName('late')
  },
  'an end, twice': (span) => {
    span.end(Date.now())
    span.end(Date.now() + 10)
    return span.isRecording()
  },
  'an end with an odd time': (span) => span.end(odd('now')),
  'whether it is recording': (span) => {
    const before = span.isRecording()
    span.end()
    return [before, span.isRecording()]
  },
  'the chain': (span) =>
    [
      span.setAttribute('a', 1),
      span.setAttributes({}),
      span.addEvent('e'),
      span.addLink({ context: linked }),
      span.addLinks([]),
      span.setStatus({ code: SpanStatusCode.OK }),
      span.updateName('n'),
    ].every((returned) => returned === span),
  'a proxy of it': (span) => {
    const proxy = new Proxy(span, {})
    proxy.setAttribute('a', 1).addEvent('e').setStatus({ code: SpanStatusCode.ERROR, message: 'm' })
    proxy.recordException(failure)
    proxy.end()
    return [proxy.isRecording(), trace.isSpanContextValid(proxy.spanContext())]
  },
}

test.each(Object.entries(cases))('a span does with %s what OpenTelemetry’s SDK does', async (_, use) => {
  const name = 'span'
  const run = async (): Promise<unknown> => {
    const span = trace.getTracer('t').startSpan(name)
    const outcome = await outcomeOf(async () => {
      const gave = await use(span)
      return gave === span ? 'itself' : gave
    })
    if (span.isRecording()) span.end()
    return outcome
  }
  const expected = await withReference(async ({ spans }, told) => {
    const outcome = await run()
    return { outcome, told: { ...told }, shown: ofReference(spans[0]!) }
  })
  const found = await withBridge(async (recording, told) => {
    const outcome = await run()
    return { outcome, told: { ...told }, shown: ofBridge(recording, expected.shown) }
  })
  if (expected.outcome === 'threw') {
    expect(found.outcome).not.toBe('threw')
    return
  }
  expect(found.outcome).toEqual(expected.outcome)
  expect(found.shown).toEqual(expected.shown)
  // Whatever is dropped is told of, as often or oftener.
  expect(found.told.warn + found.told.error > 0).toBe(expected.told.warn + expected.told.error > 0)
})

const starts: Record<string, (tracer: Tracer) => Span | undefined> = {
  'a name': (tracer) => tracer.startSpan('n'),
  'no name': (tracer) => tracer.startSpan(odd(undefined)),
  'a number for a name': (tracer) => tracer.startSpan(odd(42)),
  'no options': (tracer) => tracer.startSpan('n', undefined),
  'null for options': (tracer) => tracer.startSpan('n', odd(null)),
  'a text for options': (tracer) => tracer.startSpan('n', odd('options')),
  'empty options': (tracer) => tracer.startSpan('n', {}),
  'a kind': (tracer) => tracer.startSpan('n', { kind: SpanKind.SERVER }),
  'no kind': (tracer) => tracer.startSpan('n', { kind: odd(null) }),
  attributes: (tracer) => tracer.startSpan('n', { attributes: odd({ ...VALID, ...INVALID }) }),
  'null for attributes': (tracer) => tracer.startSpan('n', { attributes: odd(null) }),
  links: (tracer) => tracer.startSpan('n', { links: [{ context: linked, attributes: { a: 1 } }] }),
  'null for links': (tracer) => tracer.startSpan('n', { links: odd(null) }),
  'links that are none': (tracer) => tracer.startSpan('n', { links: [odd(null)] }),
  'links that are not in an array': (tracer) => tracer.startSpan('n', { links: odd(12) }),
  'a start time': (tracer) => tracer.startSpan('n', { startTime: new Date() }),
  'a context': (tracer) => tracer.startSpan('n', {}, trace.setSpanContext(ROOT_CONTEXT, linked)),
  'a context with an invalid parent': (tracer) =>
    tracer.startSpan('n', {}, trace.setSpanContext(ROOT_CONTEXT, INVALID_SPAN_CONTEXT)),
  'a context with an odd span': (tracer) => tracer.startSpan('n', {}, trace.setSpan(ROOT_CONTEXT, odd({}))),
  'undefined for a context': (tracer) => tracer.startSpan('n', {}, undefined),
  'null for a context': (tracer) => tracer.startSpan('n', {}, odd(null)),
  'a text for a context': (tracer) => tracer.startSpan('n', {}, odd('context')),
  'a root in a context': (tracer) =>
    tracer.startSpan('n', { root: true }, trace.setSpanContext(ROOT_CONTEXT, linked)),
  'a proxy of the tracer': (tracer) => new Proxy(tracer, {}).startSpan('n'),
}

test.each(Object.entries(starts))(
  'a span is started with %s as OpenTelemetry’s SDK does',
  async (_, start) => {
    const run = async (): Promise<unknown> =>
      outcomeOf(() => {
        const span = start(trace.getTracer('t'))!
        const { traceId, spanId } = span.spanContext()
        const seen = [
          span.isRecording(),
          trace.isSpanContextValid(span.spanContext()),
          traceId === linked.traceId,
          spanId === linked.spanId,
        ]
        span.end()
        return seen
      })
    const expected = await withReference(async ({ spans }) => {
      const outcome = await run()
      const [span] = spans
      return { outcome, shown: span && ofReference(span) }
    })
    const found = await withBridge(async (recording) => {
      const outcome = await run()
      return { outcome, shown: expected.shown && ofBridge(recording, expected.shown) }
    })
    if (expected.outcome === 'threw') expect(found.outcome).not.toBe('threw')
    else expect(found).toEqual(expected)
  },
)

function call(tracer: Tracer, ...args: unknown[]): unknown {
  return Reflect.apply(tracer.startActiveSpan, tracer, args)
}

type Active = (tracer: Tracer, fn: (span: Span) => string) => unknown
const actives: Record<string, Active> = {
  'a function': (tracer, fn) => tracer.startActiveSpan('n', fn),
  'options and a function': (tracer, fn) => tracer.startActiveSpan('n', {}, fn),
  'options, a context and a function': (tracer, fn) => tracer.startActiveSpan('n', {}, ROOT_CONTEXT, fn),
  'no options and a function': (tracer, fn) => tracer.startActiveSpan('n', odd(undefined), fn),
  'null, null and a function': (tracer, fn) => tracer.startActiveSpan('n', odd(null), odd(null), fn),
  'undefined, undefined and a function': (tracer, fn) =>
    tracer.startActiveSpan('n', odd(undefined), odd(undefined), fn),
  'more than that': (tracer, fn) => call(tracer, 'n', {}, ROOT_CONTEXT, fn, 'more'),
  'a name only': (tracer) => call(tracer, 'n'),
  nothing: (tracer) => call(tracer),
  'undefined for a function': (tracer) => tracer.startActiveSpan('n', odd(undefined)),
  'a text for a function': (tracer) => tracer.startActiveSpan('n', {}, odd('fn')),
  'a function that throws': (tracer) =>
    tracer.startActiveSpan('n', () => {
      throw failure
    }),
  'a function that rejects': (tracer) => tracer.startActiveSpan('n', async () => Promise.reject(failure)),
  'a function that is async': (tracer) =>
    tracer.startActiveSpan('n', async (span) => {
      await new Promise((resolve) => setImmediate(resolve))
      return trace.getActiveSpan() === span
    }),
}

test.each(Object.entries(actives))(
  'a span is made active with %s as OpenTelemetry’s SDK does',
  async (name, start) => {
    const run = async (): Promise<unknown> => {
      const outcome = await outcomeOf(() =>
        start(trace.getTracer('t'), (span) => (trace.getActiveSpan() === span ? 'active' : 'other')),
      )
      return [outcome, context.active() === ROOT_CONTEXT]
    }
    const expected = await withReference(run)
    const found = await withBridge(run)
    // What a caller's own function throws is thrown on; what is no function is not called, where the SDK throws.
    const isOwnThrow = name.includes('throws') || name.includes('rejects')
    if ((expected as unknown[])[0] === 'threw' && !isOwnThrow)
      expect((found as unknown[])[0]).not.toBe('threw')
    else expect(found).toEqual(expected)
  },
)
