import * as api from '@opentelemetry/api'
import { type Context, context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { afterEach, describe, expect, test } from 'vitest'
import { registerOpenTelemetryBridge } from '../../../src/interop/opentelemetry.ts'
import { asyncSpan } from '../../../src/tracing/spans/span.ts'
import { startRecording } from '../support/recording.ts'

interface Logs {
  getLogger(name: string): { emit(record: object): void; enabled(): boolean }
  setGlobalLoggerProvider(provider: object): boolean
  disable(): void
}

/** What the API has from version 1.10 on; `npm run test:interop` runs these tests with it. */
const { logs } = api as unknown as { readonly logs: Logs | undefined }
const { attach } = context as unknown as { attach(this: unknown, to: Context): { dispose(): void } }

describe.runIf(logs !== undefined)('with version 1.10 of the API', () => {
  afterEach(() => logs!.disable())

  test('loggers of the API record, those that were got before too, and no more when the bridge is gone', async () => {
    await using recording = startRecording()
    const early = logs!.getLogger('early')
    early.emit({ body: 'too early' })
    const unregister = registerOpenTelemetryBridge()
    early.emit({ body: 'connected' })
    logs!.getLogger('late').emit({ body: 'got late', severityNumber: 17 })
    unregister()
    early.emit({ body: 'too late' })
    expect(logs!.getLogger('x').enabled()).toBe(false)
    const lines = recording.read().logs()
    expect(lines.map(({ target, msg }) => [target, msg])).toEqual([
      ['early', 'connected'],
      ['late', 'got late'],
    ])
  })

  test('the API’s own object is taken for what is always connected', () => {
    const unregister = registerOpenTelemetryBridge({ logsApi: logs as never })
    expect(logs!.getLogger('x').enabled()).toBe(true)
    unregister()
    expect(logs!.getLogger('x').enabled()).toBe(false)
  })

  test('where the API has a logger provider already the bridge is refused, and leaves nothing of itself', () => {
    logs!.setGlobalLoggerProvider({ getLogger: () => ({ emit() {}, enabled: () => true }) })
    expect(() => registerOpenTelemetryBridge()).toThrow(/the API refuses the logger provider/)
    logs!.disable()
    registerOpenTelemetryBridge()()
  })

  test('a context that is attached is that of spans of both kinds', async () => {
    await using recording = startRecording()
    const unregister = registerOpenTelemetryBridge()
    const key = createContextKey('user')
    const tracer = trace.getTracer('t')
    const outer = tracer.startSpan('outer')
    const token = attach.call(context, trace.setSpan(ROOT_CONTEXT, outer).setValue(key, 'ada'))
    await asyncSpan('ours', async () => {
      tracer.startSpan('inner').end()
      expect(context.active().getValue(key)).toBe('ada')
    })
    token.dispose()
    await asyncSpan('apart', async () => {})
    outer.end()
    unregister()
    const spans = recording.read().asyncSpans()
    const idOf = (name: string): bigint => spans.find((span) => span.name === name)!.id
    expect(Object.fromEntries(spans.map(({ name, parent }) => [name, parent]))).toEqual({
      outer: 0n,
      ours: idOf('outer'),
      inner: idOf('ours'),
      apart: 0n,
    })
  })
})
