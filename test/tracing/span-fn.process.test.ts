import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { spanFn } from '../../src/tracing/spans/span-fn.ts'
import { compileProgram, type DecoratorCompiler } from './support/compile-program.ts'
import type { DecoratedResult } from './support/decorated-run.ts'
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

  test('keeps what others have attached to it', () => {
    const marked = Object.assign((x: number) => x, { retries: 3, [Symbol.for('tag')]: 'kept' })
    const wrapped = spanFn('marked', marked)
    expect([wrapped.retries, wrapped[Symbol.for('tag') as never], wrapped.length]).toEqual([3, 'kept', 1])
  })

  test.each<[string, () => unknown]>([
    ['a number', () => spanFn('name')(5 as never)],
    ['nothing', () => spanFn('name', undefined as never)],
    ['undefined', () => spanFn(undefined as never, undefined as never)],
    ['a class', () => spanFn(class Cart {} as never)],
    ['an anonymous class', () => spanFn('name', class {} as never)],
    ['a class that is decorated', () => spanFn(class extends Map {} as never, { kind: 'class' } as never)],
    ['a field', () => spanFn(undefined as never, { kind: 'field', name: 'x' } as never)],
    ['an auto-accessor', () => spanFn({ get() {}, set() {} } as never, { kind: 'accessor' } as never)],
    ['a field of the legacy kind', () => spanFn({}, 'x', undefined as never)],
  ])('that is no function but %s is refused where it is wrapped', (_, wrap) => {
    expect(wrap).toThrow(
      new TypeError('Cannot wrap a span: expected a function, a method, a getter or a setter'),
    )
  })

  test('may be called class', async () => {
    await using recording = startRecording()
    const owner = {
      class() {
        return 1
      },
    }
    expect(spanFn(owner.class)()).toBe(1)
    expect(recording.threadEvents()).toEqual(['+class', '-class'])
  })
})

async function runProgram(
  name: string,
  decorators: DecoratorCompiler,
  flags: readonly string[] = [],
): Promise<DecoratedResult> {
  const outDir = await mkdtemp(join(tmpdir(), 'decorated-'))
  try {
    await compileProgram(sourceOf(name), { outDir, decorators })
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, join(outDir, `${name}.mjs`)])
    return JSON.parse(stdout) as DecoratedResult
  } finally {
    await rm(outDir, { recursive: true, force: true })
  }
}

function sourceOf(name: string): string {
  return fileURLToPath(new URL(`./support/${name}.ts`, import.meta.url))
}

describe('a method, getter or setter decorated as the standard has it', () => {
  test.each(['esbuild', 'typescript'] as const)(
    'and compiled by %s behaves as before and is a span under the name of its class and its own',
    async (decorators) => {
      const { outcomes, spans } = await runProgram('decorated', decorators)
      expect(outcomes).toEqual([60, 65, 11, 'paid 6', 3, true, 'total', 1, 3, 7, 'EUR', 'refused'])
      const total = ['Cart.total', 'Cart.#sum']
      expect(spans.map((name) => name.replace(/^_Cart\./, 'Cart.'))).toEqual([
        ...total,
        ...total,
        ...total,
        'Cart.checkout()',
        ...total,
        'pay later()',
        'Cart.empty',
        'Cart.size',
        'Cart.first',
        'Cart.currency',
        'fails',
      ])
    },
  )
})

describe('a method, getter or setter decorated as experimentalDecorators has it', () => {
  const METADATA = createRequire(import.meta.url).resolve('reflect-metadata')

  test.each<[DecoratorCompiler, boolean, string]>([
    ['legacy esbuild', false, 'Cart.declared'],
    ['legacy esbuild', true, 'Cart.declared'],
    ['legacy typescript', false, 'Cart.declared'],
    // TypeScript leaves word of return types where reflect-metadata is there to take it.
    ['legacy typescript', true, 'Cart.declared()'],
  ])(
    'and compiled by %s (reflect-metadata: %s) behaves as before and is a span under the name of its class and its own',
    async (decorators, hasMetadata, declared) => {
      const flags = ['--enable-source-maps', ...(hasMetadata ? ['--require', METADATA] : [])]
      const { outcomes, spans, places } = await runProgram('decorated-legacy', decorators, flags)
      const routes = hasMetadata ? ['/above', '/below'] : [null, null]
      expect(outcomes).toEqual([
        ...[60, 65, 11, 'paid 6', 3, 3, true, 'total', 1, 3, 12, false, 'EUR', 'above', 'below', 'combined'],
        ...routes,
        'refused',
      ])
      expect(spans.map((name) => name.replace(/^_Cart\./, 'Cart.'))).toEqual([
        'Cart.total',
        'Cart.total',
        'Cart.total',
        'Cart.checkout()',
        'Cart.total',
        'pay later()',
        declared,
        'Cart.empty',
        'Cart.size',
        'Cart.first',
        'Cart.total',
        'Cart.Symbol(locked)',
        'Cart.currency',
        'Cart.above',
        'Cart.below',
        'Cart.combined',
        'fails',
      ])
      const source = sourceOf('decorated-legacy')
      const lines = (await readFile(source, 'utf8')).split('\n')
      expect(places.fails).toEqual({
        file: source,
        line: 1 + lines.findIndex((line) => line.endsWith('// at: fails')),
      })
      for (const place of Object.values(places)) expect(place.file).toBe(source)
    },
  )

  test('has the types of what it decorates', { timeout: 120_000 }, () => {
    const program = ts.createProgram([sourceOf('decorated-legacy')], {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    })
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(
        ({ file, messageText }) => `${file?.fileName} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      )
    expect(problems).toEqual([])
  })
})
