import { describe, expect, test } from 'vitest'
import { Dispatch, dispatch } from '../../src/tracing/dispatch.ts'
import { defineSpan, span } from '../../src/tracing/spans/span.ts'
import { SpanRecord } from '../../src/tracing/streams/span-stream.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startRecording } from './support/recording.ts'

const HERE = 'thread-spans.test.ts'

describe('span', () => {
  test('gives what the function returns, and throws what it throws, the span ended either way', async () => {
    await using recording = startRecording()
    expect(span('outer', () => span('inner', () => 42))).toBe(42)
    const error = new Error('inside')
    expect(() =>
      span('outer', () => {
        span('inner', () => {
          throw error
        })
      }),
    ).toThrow(error)
    const nested = ['+outer', '+inner', '-inner', '-outer']
    expect(recording.threadEvents()).toEqual([...nested, ...nested])
    expect(dispatch.cpu.openThreadSpans).toBe(0)
  })

  test('is shown with its parent, its depth, its place and a duration within that of its parent', async () => {
    await using recording = startRecording()
    span('outer', () => {
      span('first', () => {})
      span('second', () => {})
    })
    const [outer, first, second] = recording.threadSpans()
    expect([outer!.name, first!.name, second!.name]).toEqual(['outer', 'first', 'second'])
    expect([first!.parent, second!.parent]).toEqual([outer!.id, outer!.id])
    expect([outer!.depth, first!.depth, second!.depth]).toEqual([1, 2, 2])
    expect(outer!.beginNs <= first!.beginNs && first!.endNs <= second!.beginNs).toBe(true)
    expect(second!.endNs <= outer!.endNs).toBe(true)
    expect(first!.filename.endsWith(HERE)).toBe(true)
    expect(second!.line).toBe(first!.line + 1)
    expect(outer!.target).toBe('app')
  })

  test('of a function that returns a promise covers its synchronous part', async () => {
    await using recording = startRecording()
    const promise = span('sync part', async () => {
      await null
      return 'done'
    })
    expect(recording.threadEvents()).toEqual(['+sync part', '-sync part'])
    expect(await promise).toBe('done')
  })

  test('passes straight through while tracing is off', async () => {
    await using recording = startRecording({ cpuTracing: false })
    expect(span('off', () => 1)).toBe(1)
    defineSpan('off').begin()
    defineSpan('off').end()
    expect(recording.blocks()).toEqual([])
    expect(dispatch.stats.cpu).toMatchObject({ dropped: 0, invalid: 0 })
  })
})

describe('a definition', () => {
  test('is one for a name and target, with the place of the first', async () => {
    const first = defineSpan('defined', { target: 'shop' })
    expect(defineSpan('defined', { target: 'shop' })).toBe(first)
    expect(defineSpan('defined')).not.toBe(first)
    expect(first.name).toBe('defined')
    await using recording = startRecording()
    span(first, () => {})
    const [row] = recording.threadSpans()
    expect(row).toMatchObject({ name: 'defined', target: 'shop' })
    expect(row!.filename.endsWith(HERE)).toBe(true)
  })
})

describe('spans begun and ended by hand', () => {
  const [a, b, c] = [defineSpan('a'), defineSpan('b'), defineSpan('c')]

  test('that cross are ended from the inside out, so that the tree stays readable', async () => {
    await using recording = startRecording()
    const { invalid } = dispatch.stats.cpu
    a.begin()
    b.begin()
    a.end()
    b.end()
    c.begin()
    c.end()
    expect(recording.threadEvents()).toEqual(['+a', '+b', '-b', '-a', '+c', '-c'])
    expect(dispatch.stats.cpu.invalid - invalid).toBe(2)
  })

  test('without a begin are left out and counted', async () => {
    await using recording = startRecording()
    const { invalid } = dispatch.stats.cpu
    a.end()
    b.begin()
    a.end()
    b.end()
    expect(recording.threadEvents()).toEqual(['+b', '-b'])
    expect(dispatch.stats.cpu.invalid - invalid).toBe(2)
  })

  test('that are recursive end the innermost', async () => {
    await using recording = startRecording()
    a.begin()
    a.begin()
    a.end()
    a.end()
    expect(recording.threadSpans().map(({ depth }) => depth)).toEqual([1, 2])
  })

  test('that stay open are ended by the next flush tick, and a late end is left out', async () => {
    const clock = new ManualClock()
    await using recording = startRecording({ flushPeriodMs: 20, clock })
    a.begin()
    b.begin()
    await clock.advance(20)
    expect(dispatch.cpu.openThreadSpans).toBe(0)
    a.end()
    c.begin()
    c.end()
    expect(recording.threadEvents()).toEqual(['+a', '+b', '-b', '-a', '+c', '-c'])
  })

  test('deeper than 1024 are left out, begin and end alike', async () => {
    await using recording = startRecording()
    const depth = 1500
    const recurse = (left: number): number => (left === 0 ? 0 : span('deep', () => recurse(left - 1)) + 1)
    const { invalid } = dispatch.stats.cpu
    expect(recurse(depth)).toBe(depth)
    a.begin()
    a.end()
    expect(recording.threadSpans().filter(({ name }) => name === 'deep').length).toBe(1024)
    expect(recording.threadSpans().at(-1)).toMatchObject({ name: 'a', depth: 1 })
    expect(dispatch.stats.cpu.invalid - invalid).toBe(depth - 1024)
  })
})

describe('a span that is open while telemetry', () => {
  const init = new SpanRecord('init', 'app', { file: 'main.ts', line: 1 })
  const inner = new SpanRecord('inner', 'app', { file: 'main.ts', line: 2 })

  test('starts is ended by its own end', async () => {
    const of = new Dispatch()
    of.cpu.beginThreadSpan(init)
    await using recording = startRecording({}, of)
    of.cpu.beginThreadSpan(inner)
    of.cpu.endThreadSpan(inner)
    of.cpu.endThreadSpan(init)
    expect(recording.threadEvents()).toEqual(['+init', '+inner', '-inner', '-init'])
    expect(of.stats.cpu.invalid).toBe(0)
  })

  test('starts is ended there when ends before have been lost for want of room', async () => {
    const of = new Dispatch()
    of.cpu.beginThreadSpan(init)
    while (!of.cpu.refusing) {
      of.cpu.beginThreadSpan(inner)
      of.cpu.endThreadSpan(inner)
    }
    await using recording = startRecording({}, of)
    expect(of.cpu.openThreadSpans).toBe(0)
    of.cpu.beginThreadSpan(inner)
    of.cpu.endThreadSpan(inner)
    expect(recording.threadEvents().slice(-3)).toEqual(['-init', '+inner', '-inner'])
  })

  test('starts without tracing is forgotten', async () => {
    const of = new Dispatch()
    of.cpu.beginThreadSpan(init)
    await startRecording({ cpuTracing: false }, of).stop()
    await using recording = startRecording({}, of)
    of.cpu.beginThreadSpan(inner)
    of.cpu.endThreadSpan(inner)
    expect(recording.threadSpans().map(({ depth }) => depth)).toEqual([1])
  })

  test('stops is ended in the last block, and does not reach into the next run', async () => {
    const of = new Dispatch()
    const first = startRecording({}, of)
    of.cpu.beginThreadSpan(init)
    await first.stop()
    expect(first.threadEvents()).toEqual(['+init', '-init'])
    await using second = startRecording({}, of)
    of.cpu.endThreadSpan(init)
    of.cpu.beginThreadSpan(inner)
    of.cpu.endThreadSpan(inner)
    expect(second.threadEvents()).toEqual(['+inner', '-inner'])
    expect(second.threadSpans()[0]!.depth).toBe(1)
  })
})
