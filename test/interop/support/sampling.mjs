// Samples runtime metrics in the main thread and in a worker, and says what was recorded. Plain JavaScript: a loader for
// TypeScript that was given to the process does not reach its workers on every version of Node.
import { isMainThread, Worker } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

const unregister = register()
const { startRuntimeMetrics } = await import('../../../src/interop/runtime-metrics.ts')
const { dispatch } = await import('../../../src/tracing/dispatch.ts')

startRuntimeMetrics().sample()
const sampled = dispatch.stats.metrics.recorded > 0
const hasProcess = dispatch.metrics.dependencies.take().includes('process.uptime')
console.log(`${isMainThread ? 'main' : 'worker'} sampled=${sampled} process=${hasProcess}`)
if (isMainThread) new Worker(new URL(import.meta.url))
await unregister()
