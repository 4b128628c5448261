import { initTelemetry } from '../../src/main/init-telemetry.ts'
import type { TelemetryGuard } from '../../src/main/telemetry-guard.ts'
import type { TelemetryOptions } from '../../src/main/telemetry-options.ts'

/** Has this process record spans and what tests record themselves, and send it to a server. */
export function startTelemetry(url: string, options: TelemetryOptions = {}): TelemetryGuard {
  return initTelemetry({
    telemetryUrl: url,
    cpuTracing: true,
    localSinkEnabled: false,
    systemMetrics: false,
    signalHandling: false,
    ...options,
  })
}

/** A service that records and sends to a server, in this process. */
export async function withService<T>(
  url: string,
  record: (telemetry: TelemetryGuard) => T | Promise<T>,
  options: TelemetryOptions = {},
): Promise<T> {
  const telemetry = startTelemetry(url, options)
  try {
    return await record(telemetry)
  } finally {
    await telemetry.shutdown()
  }
}
