import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { isTracingSuppressed } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, expect, test } from 'vitest'
import { withoutTracing } from '../../src/http/clients/suppress-tracing.ts'
import { startService } from './support/service.ts'
import { SinkUnderTest } from './support/sink.ts'

/** Context over asynchronous calls, as OpenTelemetry's own manager for Node keeps it. */
class AsyncContextManager implements ContextManager {
  readonly #storage: AsyncLocalStorage<Context> = new AsyncLocalStorage()
  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    ctx: Context,
    fn: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(ctx, () => fn.apply(self as ThisParameterType<F>, args))
  }
  bind<T>(_ctx: Context, target: T): T {
    return target
  }
  enable(): this {
    return this
  }
  disable(): this {
    return this
  }
}

afterEach(() => context.disable())

test('without OpenTelemetry nothing is looked for and nothing changes', () => {
  expect(withoutTracing(() => 42)).toBe(42)
})

test('instrumentation of the HTTP client makes no span of an upload, nor of what a decorator does', async () => {
  context.setGlobalContextManager(new AsyncContextManager())
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const tracer = provider.getTracer('http')
  // What an instrumentation does at its core: a span for each request that the HTTP client announces.
  let requests = 0
  const instrument = (): void => {
    requests++
    tracer.startSpan('HTTP POST').end()
  }
  subscribe('http.client.request.start', instrument)
  try {
    await using service = await startService()
    const decorated: boolean[] = []
    await using under = new SinkUnderTest(service.url, {}, () => ({
      async decorate() {
        await Promise.resolve()
        decorated.push(isTracingSuppressed(context.active()))
      },
    }))
    await tracer.startActiveSpan('request of the host', async (span) => {
      for (let i = 0; i < 5; i++) under.push()
      await under.sink.flush()
      span.end()
    })
    expect(service.requests).toHaveLength(7)
    expect(requests).toBe(0) // they are not even announced
    expect(decorated).toEqual(Array.from({ length: 7 }, () => true))
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['request of the host'])
  } finally {
    unsubscribe('http.client.request.start', instrument)
  }
})

test('a manager registered after the sink was made is honoured too, and the host is traced as before', async () => {
  await using service = await startService()
  const suppressed: boolean[] = []
  await using under = new SinkUnderTest(service.url, {}, () => ({
    decorate: () => void suppressed.push(isTracingSuppressed(context.active())),
  }))
  context.setGlobalContextManager(new AsyncContextManager())
  under.push()
  await under.sink.flush()
  expect(suppressed).toEqual([true, true, true])
  expect(isTracingSuppressed(context.active())).toBe(false)
  expect(trace.getActiveSpan()).toBeUndefined()
})
