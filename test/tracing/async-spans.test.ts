import { AsyncResource } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { pairAsyncSpans } from '../../src/telemetry/decode/async-spans.ts'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { asyncSpan, beginAsyncSpan, defineSpan, span } from '../../src/tracing/spans/span.ts'
import { spanIdBase } from '../../src/tracing/spans/span-ids.ts'
import { SpanRecord, SpanStream } from '../../src/tracing/streams/span-stream.ts'
import { parseBlock } from './support/check-run.ts'
import { startRecording } from './support/recording.ts'
import { spansOf, tree } from './support/span-tree.ts'

describe('asyncSpan', () => {
  test('gives the outcome of the function, resolved or rejected, the span ended either way', async () => {
    await using recording = startRecording()
    const error = new Error('inside')
    expect(await asyncSpan('resolves', async () => 1)).toBe(1)
    expect(await asyncSpan('is not async', () => 2)).toBe(2)
    await expect(
      asyncSpan('rejects', async () => {
        await null
        throw error
      }),
    ).rejects.toBe(error)
    await expect(
      asyncSpan('throws', () => {
        throw error
      }),
    ).rejects.toBe(error)
    expect([...spansOf(recording).keys()].sort()).toEqual(['is not async', 'rejects', 'resolves', 'throws'])
  })

  test('keeps parent and depth across awaits, Promise.all, timers, microtasks and emitters', async () => {
    await using recording = startRecording()
    await asyncSpan('root', async () => {
      await sleep(1)
      await asyncSpan('after await', async () => {
        await asyncSpan('nested', () => sleep(1))
      })
      await Promise.all([
        asyncSpan('left', async () => {
          await sleep(2)
          await asyncSpan('left child', () => sleep(1))
        }),
        asyncSpan('right', () => asyncSpan('right child', () => sleep(1))),
      ])
      await new Promise<void>((resolve) => {
        setTimeout(() => resolve(asyncSpan('in a timer', () => {})), 1)
      })
      await new Promise<void>((resolve) => {
        process.nextTick(() => queueMicrotask(() => resolve(asyncSpan('in a microtask', () => {}))))
      })
      await asyncSpan('last', () => {})
    })
    await asyncSpan('second root', () => {})
    expect(tree(recording)).toEqual([
      'after await < root @ 1',
      'in a microtask < root @ 1',
      'in a timer < root @ 1',
      'last < root @ 1',
      'left < root @ 1',
      'left child < left @ 2',
      'nested < after await @ 2',
      'right < root @ 1',
      'right child < right @ 2',
      'root < - @ 0',
      'second root < - @ 0',
    ])
  })

  test('is the parent of what is spawned within it, even when that outlives it', async () => {
    await using recording = startRecording()
    let spawned: Promise<void> = Promise.resolve()
    await asyncSpan('request', () => {
      spawned = asyncSpan('background', async () => {
        await sleep(5)
        await asyncSpan('late', () => {})
      })
    })
    await spawned
    expect(tree(recording)).toEqual(['background < request @ 1', 'late < background @ 2', 'request < - @ 0'])
    const spans = spansOf(recording)
    expect(spans.get('background')!.endNs > spans.get('request')!.endNs).toBe(true)
  })

  test('lives beside thread spans: neither is the parent of the other', async () => {
    await using recording = startRecording()
    await asyncSpan('outer', async () => {
      await span('sync', () => asyncSpan('from sync', () => {}))
    })
    expect(tree(recording)).toEqual(['from sync < outer @ 1', 'outer < - @ 0'])
    expect(recording.threadEvents()).toEqual(['+sync', '-sync'])
  })

  test('has begin and end in different blocks when one is sealed in between', async () => {
    await using recording = startRecording()
    await asyncSpan('long', async () => {
      for (let i = 0; i < 8000; i++) await asyncSpan('step', () => {})
    })
    expect(recording.blocks('cpu').length).toBeGreaterThan(1)
    const events = recording.asyncEvents()
    expect(events.length).toBe(16_002)
    expect(pairAsyncSpans(events).spans.length).toBe(8001)
  })

  test('begun before a stop ends without an event in the next run', async () => {
    const first = startRecording()
    let release = () => {}
    const pending = asyncSpan('stopped', () => new Promise<void>((resolve) => (release = resolve)))
    await first.stop()
    release()
    await pending
    expect(first.asyncEvents().map(({ phase }) => phase)).toEqual(['begin'])
    await using second = startRecording()
    expect(second.asyncEvents()).toEqual([])
  })

  test('does nothing but call the function while tracing is off', async () => {
    await using recording = startRecording({ cpuTracing: false })
    expect(await asyncSpan('off', async () => dispatch.asyncSpans.getStore())).toBeUndefined()
    expect(recording.blocks()).toEqual([])
  })
})

describe('span ids', () => {
  test('are unique in the process, over runs', async () => {
    const ids: bigint[] = []
    for (let i = 0; i < 3; i++) {
      await using recording = startRecording()
      for (let j = 0; j < 10; j++) await asyncSpan('s', () => {})
      ids.push(...recording.asyncEvents().flatMap(({ phase, spanId }) => (phase === 'begin' ? [spanId] : [])))
    }
    expect(new Set(ids).size).toBe(30)
    expect(ids.every((id) => id > 0n && id < 2n ** 53n)).toBe(true)
  })
})

describe('the ids of a thread', () => {
  test('are its own, and exact, however many workers the process has started', () => {
    const ranges = [0, 1, 2, 8191, 8192, 8193, 100_000, 2 ** 20].map((threadId) => spanIdBase(threadId))
    for (const [i, base] of ranges.entries()) {
      expect(Number.isSafeInteger(base + 2 ** 32 - 1)).toBe(true)
      if (i > 0) expect(base - ranges[i - 1]!).toBeGreaterThanOrEqual(2 ** 32)
    }
  })
})

describe('beginAsyncSpan', () => {
  test('makes a span that is ended once, by hand or by using', async () => {
    await using recording = startRecording()
    const handle = beginAsyncSpan('by hand', { target: 'shop' })
    handle.end()
    handle.end()
    {
      using _ = beginAsyncSpan('by using')
    }
    expect(tree(recording)).toEqual(['by hand < - @ 0', 'by using < - @ 0'])
    expect(spansOf(recording).get('by hand')!.target).toBe('shop')
  })

  test('is a parent within run only, also from callbacks that have lost their context', async () => {
    await using recording = startRecording()
    const detached = new AsyncResource('DETACHED')
    const handle = beginAsyncSpan('stream')
    handle.run(() => beginAsyncSpan('chunk 1').end())
    await new Promise<void>((resolve) =>
      detached.runInAsyncScope(() => {
        beginAsyncSpan('elsewhere').end()
        handle.run(() => beginAsyncSpan('chunk 2').end())
        resolve()
      }),
    )
    handle.end()
    expect(handle.run(() => 'ended')).toBe('ended')
    expect(tree(recording)).toEqual([
      'chunk 1 < stream @ 1',
      'chunk 2 < stream @ 1',
      'elsewhere < - @ 0',
      'stream < - @ 0',
    ])
  })

  test('takes a definition', async () => {
    const definition = defineSpan('defined async', { target: 'shop' })
    await using recording = startRecording()
    beginAsyncSpan(definition).end()
    await asyncSpan(definition, () => {})
    expect(recording.asyncEvents().map(({ target }) => target)).toEqual(new Array(4).fill('shop'))
  })
})

describe('the end of a span', () => {
  test('is later than its begin, however fast the span and however coarse the clock', () => {
    const cpu = new SpanStream()
    const blocks: Parameters<typeof parseBlock>[0][] = []
    cpu.open('p', process.hrtime.bigint(), {}, (block) => blocks.push(block))
    const record = new SpanRecord('fast', 'app', { file: 'f.ts', line: 1 })
    for (let i = 1; i <= 10_000; i++) {
      const open = {
        record,
        spanId: i,
        parentSpanId: 0,
        rootSpanId: i,
        depth: 0,
        beginTicksLow: 0,
        isOpen: false,
      }
      cpu.beginAsyncSpan(open)
      // As if the clock had not moved: the end's low bits are likely to be those noted as the begin's.
      open.beginTicksLow = Number(process.hrtime.bigint() & 0xffff_ffffn) + (i % 300)
      const noted = open.beginTicksLow % 2 ** 32
      cpu.endAsyncSpan(open)
      const ticksLow = cpu.view.getUint32(cpu.cursor - 12, true)
      expect(ticksLow).not.toBe(noted)
    }
    cpu.seal()
    let previous = 0n
    for (const event of blocks.flatMap(parseBlock)) {
      const time = event.get('time') as bigint
      expect(time >= previous).toBe(true)
      previous = time
    }
  })
})
