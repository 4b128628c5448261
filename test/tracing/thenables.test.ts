// biome-ignore-all lint/suspicious/noThenProperty: thenables are what these tests are about
import { setTimeout as sleep } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { asyncSpan, beginAsyncSpan } from '../../src/tracing/spans/span.ts'
import { spanFn } from '../../src/tracing/spans/span-fn.ts'
import { startRecording } from './support/recording.ts'
import { spansOf, tree } from './support/span-tree.ts'

/** A query as knex and prisma make them: it is sent when somebody calls `then`, which begins a span. */
class Query<T> {
  readonly sql = 'select 1'
  sent = 0
  readonly #outcome: () => PromiseLike<T> | T

  constructor(outcome: () => PromiseLike<T> | T) {
    this.#outcome = outcome
  }

  limit(): this {
    return this
  }

  then<R, E>(
    onResolved?: (value: T) => R | PromiseLike<R>,
    onRejected?: (error: unknown) => E | PromiseLike<E>,
  ) {
    this.sent++
    return asyncSpan('query', async () => this.#outcome()).then(onResolved, onRejected)
  }

  catch<E>(onRejected: (error: unknown) => E | PromiseLike<E>) {
    return this.then(undefined, onRejected)
  }

  finally(onFinally: () => void) {
    return this.then().finally(onFinally)
  }
}

/** Like those of postgres.js: a promise that begins its work when somebody calls `then`. */
class LazyPromise extends Promise<number> {
  static override get [Symbol.species]() {
    return Promise
  }

  override then<R, E>(
    onResolved?: ((value: number) => R | PromiseLike<R>) | null,
    onRejected?: ((error: unknown) => E | PromiseLike<E>) | null,
  ) {
    return asyncSpan('query', async () => {}).then(() => super.then(onResolved, onRejected))
  }
}

describe('a thenable', () => {
  const query = () => new Query(() => 7)
  const wrapped = spanFn('load', async () => query() as PromiseLike<number>)
  const wrappedPlain = spanFn({ name: 'load', async: true }, () => query())

  test.each<[string, () => unknown]>([
    ['is returned', () => asyncSpan('load', () => query())],
    ['is returned after calls of its other members', () => asyncSpan('load', () => query().limit().limit())],
    ['is awaited within', () => asyncSpan('load', async () => await query())],
    ['is returned by an async function', () => asyncSpan('load', async () => query())],
    [
      'is returned late',
      () =>
        asyncSpan('load', async () => {
          await sleep(1)
          return query()
        }),
    ],
    ['is what a promise is resolved with', () => asyncSpan('load', () => Promise.resolve(1).then(query))],
    ['is what another is resolved with', () => asyncSpan('load', () => laterWith(query()))],
    ['is one of several', () => asyncSpan('load', async () => (await Promise.all([query(), 8]))[0])],
    ['is caught', () => asyncSpan('load', () => query().catch(() => 0))],
    ['is followed by finally', () => asyncSpan('load', () => query().finally(() => {}))],
    ['is a promise with a then of its own', () => asyncSpan('load', () => new LazyPromise((r) => r(7)))],
    ['is of another realm', () => asyncSpan('load', () => foreign(query))],
    ['is returned by a wrapped async function', () => wrapped()],
    ['is returned by a wrapped plain function', () => wrappedPlain()],
    ['is awaited in a handle', () => handled(async () => query())],
  ])('that %s is sent within the span, whose time it takes, whoever awaits that', async (_, load) => {
    await using recording = startRecording()
    const loading = load()
    expect(await asyncSpan('elsewhere', () => loading)).toBe(7)
    expect(tree(recording)).toEqual(['elsewhere < - @ 0', 'load < - @ 0', 'query < load @ 1'])
    const spans = spansOf(recording)
    expect(spans.get('load')!.endNs > spans.get('query')!.endNs).toBe(true)
  })

  test('is sent once, however often the promise of its span is awaited', async () => {
    await using recording = startRecording()
    const sent = query()
    const loading = asyncSpan('load', () => sent)
    expect([await loading, await loading, await loading.finally(() => {})]).toEqual([7, 7, 7])
    expect(sent.sent).toBe(1)
    expect(recording.asyncEvents().length).toBe(4)
  })

  test('is sent while tracing is off too', async () => {
    await using _ = startRecording({ cpuTracing: false })
    const sent = query()
    void asyncSpan('load', () => sent)
    await sleep(1)
    expect(sent.sent).toBe(1)
    expect(await asyncSpan('load', () => new LazyPromise((r) => r(7)))).toBe(7)
  })

  test.each([true, false])('that fails in any way makes a rejection (tracing: %s)', async (cpuTracing) => {
    await using recording = startRecording({ cpuTracing })
    const error = new Error('inside')
    const fails = () => {
      throw error
    }
    const thenables: unknown[] = [
      new Query(fails),
      { then: fails },
      { then: (_: unknown, reject: (reason: unknown) => void) => reject(error) },
      {
        get then() {
          return fails()
        },
      },
    ]
    for (const thenable of thenables) await expect(asyncSpan('load', () => thenable)).rejects.toBe(error)
    const both: unknown = {
      then: (resolve: (value: number) => void) => {
        resolve(7)
        fails()
      },
    }
    expect(await asyncSpan('load', () => both)).toBe(7)
    expect(recording.asyncEvents().length).toBe(cpuTracing ? 12 : 0)
  })

  function handled(fn: () => Promise<unknown>): Promise<unknown> {
    const handle = beginAsyncSpan('load')
    return handle.run(fn).finally(() => handle.end())
  }

  function laterWith(value: unknown): PromiseLike<unknown> {
    return { then: ((resolve: (value: unknown) => void) => setImmediate(resolve, value)) as never }
  }

  function foreign(make: () => unknown): PromiseLike<unknown> {
    return runInNewContext('({ then: (...args) => make().then(...args) })', { make })
  }
})
