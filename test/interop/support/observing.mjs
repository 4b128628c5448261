// Observes an instrument and has nothing else to do: it must end by itself.
import { metrics } from '@opentelemetry/api'
import { register } from 'tsx/esm/api'

const unregister = register()
const { registerOpenTelemetryBridge } = await import('../../../src/interop/opentelemetry.ts')
registerOpenTelemetryBridge({ observablePeriodMs: 100 })
metrics
  .getMeter('test')
  .createObservableGauge('g')
  .addCallback((result) => result.observe(1))
await unregister()
