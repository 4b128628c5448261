/**
 * What is called when telemetry starts, or later. In the build for Node this is a file of its own, which the first call loads:
 * importing the package reads less than half of it. Only functions can be put off so.
 */
export { installConsoleCapture } from '../interop/console-capture.ts'
export { startRuntimeMetrics } from '../interop/runtime-metrics.ts'
export { initTelemetry, startRegistered, startTelemetry } from '../main/init-telemetry.ts'
export { micromegasMain } from '../main/micromegas-main.ts'
export { uploadNow } from '../sink/exit/exit-upload.ts'
export { makeHttpParts } from '../sink/http-parts.ts'
