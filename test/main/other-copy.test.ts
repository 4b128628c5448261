import { afterEach, expect, test, vi } from 'vitest'
import * as here from '../../src/index.ts'

/** As the CommonJS build beside the ESM build: the same names, other classes. */
vi.resetModules()
const other = await import('../../src/index.ts')

const QUIET = { localSinkEnabled: false, systemMetrics: false }
let telemetry: here.TelemetryGuard | undefined

afterEach(async () => {
  await telemetry?.shutdown()
  telemetry = undefined
})

test('there are two copies', () => {
  expect(other.HttpEventSink).not.toBe(here.HttpEventSink)
})

test('an upload sink of another copy has its part in the statistics', () => {
  const sink = new other.HttpEventSink('http://127.0.0.1:1', { shutdownTimeoutMs: 10 })
  telemetry = here.initTelemetry({ ...QUIET, sinks: [{ sink }], shutdownTimeoutMs: 10 })
  expect(telemetry.stats.upload).toEqual(sink.stats())
})

test('a configuration that another copy refuses is told with everything else', () => {
  const decoratorFactory = () => new other.ApiKeyRequestDecorator('')
  expect(() =>
    here.initTelemetry({ ...QUIET, telemetryUrl: 'http://127.0.0.1:1', decoratorFactory }),
  ).toThrow(
    expect.objectContaining({
      name: 'TelemetryError',
      code: 'ERR_TELEMETRY_CONFIG',
      message: expect.stringMatching(/^Cannot start telemetry:\n {2}- .*apiKey/),
    }),
  )
})

test('a secret of another copy is one', async () => {
  const request = {
    method: 'POST' as const,
    url: new URL('http://127.0.0.1:1'),
    headers: new Headers(),
    body: new Uint8Array(),
  }
  const decorator = new here.ApiKeyRequestDecorator(new other.Secret('key'))
  await decorator.decorate(request, new AbortController().signal)
  expect(request.headers.get('authorization')).toBe('Bearer key')
})

test('a span has the same trace id whichever copy asks', async () => {
  telemetry = here.initTelemetry({
    ...QUIET,
    cpuTracing: true,
    sinks: [{ sink: new here.InMemoryEventSink() }],
  })
  await here.asyncSpan('send', async (span) => {
    const [, traceId] = other.traceHeaders().traceparent!.split('-')
    expect(traceId).toBe(span.traceId)
    expect(other.traceHeaders()).toEqual(here.traceHeaders())
  })
})
