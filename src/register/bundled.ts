/** `import "micromegas/register"` in a bundle, which has no `require`. */
import { startRegister } from '../main/register.ts'

const started = startRegister()
if (started?.findsOpenTelemetry) {
  try {
    const { registerOpenTelemetryBridge } = await import('../interop/opentelemetry.ts')
    started.takeOpenTelemetry(registerOpenTelemetryBridge)
  } catch (error) {
    started.cannotTakeOpenTelemetry(error)
  }
}
started?.finish()
