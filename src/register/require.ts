/** `node --require micromegas/register app.cjs` */
import { startRegister } from '../main/register.ts'
import { builtin } from '../model/runtime/builtins.ts'

// Node runs what is required so in its own threads too, such as that of module hooks.
const started = builtin('node:worker_threads').isMainThread ? startRegister() : undefined
if (started?.findsOpenTelemetry) {
  try {
    const bridge = require('../interop/opentelemetry.ts') as typeof import('../interop/opentelemetry.ts')
    started.takeOpenTelemetry(bridge.registerOpenTelemetryBridge)
  } catch (error) {
    started.cannotTakeOpenTelemetry(error)
  }
}
started?.finish()
