import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { spanFn } from '../../src/tracing/span.ts'
import { compileProgram } from './support/compile-program.ts'
import type { DecoratedResult } from './support/decorated.ts'
import { startRecording } from './support/recording.ts'

describe('a wrapped function', () => {
  test('is a thread span a call, with arguments, result, this and errors passed through', async () => {
    await using recording = startRecording()
    const owner = {
      factor: 3,
      times: spanFn(function times(this: { factor: number }, a: number, b: number) {
        if (b === 0) throw new RangeError('zero')
        return this.factor * a * b
      }),
    }
    expect(owner.times(2, 5)).toBe(30)
    expect(() => owner.times(1, 0)).toThrow(RangeError)
    expect(owner.times.name).toBe('times')
    expect(owner.times.length).toBe(2)
    expect(recording.threadEvents()).toEqual(['+times', '-times', '+times', '-times'])
  })

  test('is an async span when it is async, or is said to be', async () => {
    await using recording = startRecording()
    const load = spanFn(async function load(id: number) {
      await null
      return `order ${id}`
    })
    const promise = spanFn({ name: 'plain promise', async: true, target: 'shop' }, () => Promise.resolve(7))
    const part = spanFn('synchronous part', () => Promise.resolve(8))
    expect([await load(1), await promise(), await part()]).toEqual(['order 1', 7, 8])
    expect(recording.asyncEvents().map(({ name, target }) => `${name} ${target}`)).toEqual([
      'load app',
      'load app',
      'plain promise shop',
      'plain promise shop',
    ])
    expect(recording.threadEvents()).toEqual(['+synchronous part', '-synchronous part'])
  })

  test('that is async rejects, and does not throw, where it fails before its first await', async () => {
    await using recording = startRecording()
    const fails = spanFn({ name: 'fails', async: true }, (): Promise<number> => {
      throw new Error('early')
    })
    await expect(fails()).rejects.toThrow('early')
    expect(recording.asyncEvents().length).toBe(2)
  })

  test('keeps parent and depth', async () => {
    await using recording = startRecording()
    const inner = spanFn('inner', async () => {})
    const outer = spanFn('outer', async () => {
      await null
      await inner()
    })
    await outer()
    const events = recording.asyncEvents()
    const [begin] = events
    expect(events.map(({ name, depth }) => `${name} ${depth}`)).toEqual([
      'outer 0',
      'inner 1',
      'inner 1',
      'outer 0',
    ])
    expect(events[1]!.parentSpanId).toBe(begin!.spanId)
  })

  test('without a name is called anonymous', async () => {
    await using recording = startRecording()
    spanFn(
      (
        () => () =>
          1
      )(),
    )()
    expect(recording.threadEvents()).toEqual(['+anonymous', '-anonymous'])
  })

  test('that is no function is refused where it is wrapped', () => {
    expect(() => spanFn('name')(5 as never)).toThrow(TypeError)
  })
})

describe('a decorated method', () => {
  test.each(['esbuild', 'typescript'] as const)(
    'compiled by %s behaves as before and is a span under the name of its class and its own',
    async (decorators) => {
      const outDir = await mkdtemp(join(tmpdir(), 'decorated-'))
      try {
        const program = fileURLToPath(new URL('./support/decorated.ts', import.meta.url))
        await compileProgram(program, { outDir, decorators })
        const { stdout } = await promisify(execFile)(process.execPath, [join(outDir, 'decorated.mjs')])
        const result = JSON.parse(stdout) as DecoratedResult
        expect(result.outcomes).toEqual([60, 65, 11, 'paid 6', 3, true, 'total', 1, 'refused'])
        const total = ['Cart.total', 'Cart.#sum']
        expect(result.spans.map((name) => name.replace(/^_Cart\./, 'Cart.'))).toEqual([
          ...total,
          ...total,
          ...total,
          'Cart.checkout()',
          ...total,
          'pay later()',
          'Cart.empty',
          'fails',
        ])
      } finally {
        await rm(outDir, { recursive: true, force: true })
      }
    },
  )
})
