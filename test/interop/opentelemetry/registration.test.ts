import { context, diag, metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { logs } from '@opentelemetry/api-logs'
import { LoggerProvider } from '@opentelemetry/sdk-logs'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, expect, test } from 'vitest'
import { MicromegasContextManager } from '../../../src/interop/opentelemetry/propagation/context-manager.ts'
import { registerOpenTelemetryBridge } from '../../../src/interop/opentelemetry.ts'
import { asyncSpan } from '../../../src/tracing/spans/span.ts'
import { startRecording } from '../support/recording.ts'

afterEach(() => {
  for (const api of [trace, metrics, context, logs, diag]) api.disable()
})

function isRegistered(): Record<string, boolean> {
  const span = trace.getTracer('t').startSpan('s')
  span.end()
  return {
    traces: span.isRecording() || span.constructor.name === 'BridgeSpan',
    contexts:
      context.with(ROOT_CONTEXT.setValue(Symbol.for('k'), 1), () => context.active()) !== ROOT_CONTEXT,
    metrics: metrics.getMeterProvider().constructor.name === 'MicromegasMeterProvider',
    logs: logs.getLogger('x').enabled(),
  }
}

const ALL = { traces: true, contexts: true, metrics: true, logs: true }
const NONE = { traces: false, contexts: false, metrics: false, logs: false }

test('it is registered as a whole and unregistered as a whole, as often as one likes', async () => {
  await using _ = startRecording()
  for (let i = 0; i < 3; i++) {
    const unregister = registerOpenTelemetryBridge()
    expect(isRegistered()).toEqual(ALL)
    unregister()
    expect(isRegistered()).toEqual(NONE)
    unregister()
  }
})

test('only what is asked for is registered', async () => {
  await using _ = startRecording()
  const unregister = registerOpenTelemetryBridge({ traces: false, metrics: false })
  expect(isRegistered()).toEqual({ ...NONE, logs: true })
  unregister()
  registerOpenTelemetryBridge({ logs: false, metrics: false })
  expect(isRegistered()).toEqual({ ...ALL, logs: false, metrics: false })
})

test('a tracer that was got before records once the bridge is there, and no more when it is gone', async () => {
  await using recording = startRecording()
  const early = trace.getTracer('early')
  early.startSpan('too early').end()
  const unregister = registerOpenTelemetryBridge()
  early.startSpan('seen').end()
  early.startActiveSpan('active too', (span) => span.end())
  unregister()
  early.startSpan('too late').end()
  const spans = recording.read().asyncSpans()
  expect(spans.map(({ name }) => name)).toEqual(['seen', 'active too'])
  for (const { filename } of spans) expect(filename).not.toContain('ProxyTracer')
})

test.each([
  ['tracer provider', () => trace.setGlobalTracerProvider(new TracerProvider())],
  ['context manager', () => context.setGlobalContextManager(new MicromegasContextManager())],
  ['meter provider', () => metrics.setGlobalMeterProvider({ getMeter: () => metrics.getMeter('x') })],
  ['logger provider', () => logs.setGlobalLoggerProvider(new LoggerProvider())],
])(
  'where the API has a %s already the bridge is refused, and leaves nothing of itself',
  async (what, register) => {
    await using _ = startRecording()
    register()
    expect(() => registerOpenTelemetryBridge()).toThrow(
      expect.objectContaining({ code: 'ERR_TELEMETRY_CONFIG', message: expect.stringContaining(what) }),
    )
    const found = isRegistered()
    for (const kind of ['traces', 'metrics'] as const) expect(found[kind]).toBe(false)
  },
)

test('it is refused while it is registered', () => {
  const unregister = registerOpenTelemetryBridge()
  expect(() => registerOpenTelemetryBridge()).toThrow(
    expect.objectContaining({ code: 'ERR_TELEMETRY_CONFIG' }),
  )
  unregister()
})

test('what others registered since the API was disabled is left to them', async () => {
  await using _ = startRecording()
  const unregister = registerOpenTelemetryBridge()
  trace.disable()
  context.disable()
  const provider = new TracerProvider()
  trace.setGlobalTracerProvider(provider)
  const manager = new MicromegasContextManager()
  context.setGlobalContextManager(manager)
  unregister()
  expect(trace.getTracer('t').startSpan('s').isRecording()).toBe(true)
  expect(manager.enabled).toBe(true)
})

test.each([
  [
    { trace: false },
    'unknown option trace, expected traces, metrics, logs, propagation, logsApi, observablePeriodMs',
  ],
  [{ traces: 'false' }, 'traces is not true or false'],
  [{ metrics: null }, 'metrics is not true or false'],
  [{ logsApi: {} }, 'logsApi is not the object logs of @opentelemetry/api-logs'],
])('options that say something else than is meant are refused: %j', (options, problem) => {
  expect(() => registerOpenTelemetryBridge(options as never)).toThrow(
    expect.objectContaining({
      code: 'ERR_TELEMETRY_CONFIG',
      message: `Cannot register the OpenTelemetry bridge: ${problem}`,
    }),
  )
  registerOpenTelemetryBridge({ traces: undefined, logsApi: undefined })()
})

test('a period out of range is refused', () => {
  for (const observablePeriodMs of [99, Number.NaN, -1, '5000' as never, null as never]) {
    expect(() => registerOpenTelemetryBridge({ observablePeriodMs })).toThrow(RangeError)
  }
})

test('a period longer than any timer’s is the longest there is, not the shortest', async () => {
  for (const observablePeriodMs of [2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
    const unregister = registerOpenTelemetryBridge({ observablePeriodMs })
    let asked = 0
    metrics
      .getMeter('t')
      .createObservableGauge('g')
      .addCallback(() => void asked++)
    await new Promise((resolve) => setTimeout(resolve, 5)) // a timer whose time does not fit comes after 1 ms
    expect(asked).toBe(0)
    unregister()
  }
})

test('our spans do without the bridge as with it', async () => {
  await using recording = startRecording()
  await asyncSpan('outer', async () => {
    const unregister = registerOpenTelemetryBridge()
    await asyncSpan('inner', async () => {
      expect(trace.getActiveSpan()).toBeDefined()
    })
    unregister()
    expect(trace.getActiveSpan()).toBeUndefined()
  })
  const [outer, inner] = recording.read().asyncSpans()
  expect(inner).toMatchObject({ parent: outer!.id, depth: 1 })
})
