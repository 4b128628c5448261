import { runOwnWork } from '../../model/runtime/own-work.ts'
import { hideOwnRequests } from './hidden-channels.ts'

/** Where `@opentelemetry/api` 1.x keeps what has been registered with it, shared by all its copies in the process. */
const OTEL_REGISTRY = Symbol.for('opentelemetry.js.api.1')
/** The context key behind `suppressTracing()` of `@opentelemetry/core`. */
const SUPPRESS_TRACING = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

interface OtelContext {
  setValue(key: symbol, value: unknown): OtelContext
}
interface OtelRegistry {
  readonly context?: {
    active(): OtelContext
    with<T>(context: OtelContext, fn: () => T): T
  }
}

/**
 * Runs `fn`, and what it starts, so that no telemetry comes of it: an upload that is traced or measured makes telemetry
 * that is uploaded. Its requests are hidden from diagnostics channels, its OpenTelemetry context is one in which nothing
 * is traced, and the bridge of this package takes neither spans nor metrics from it. OpenTelemetry is looked for and
 * never loaded; where nobody listens, `fn` is just called.
 */
export function withoutTracing<T>(fn: () => T): T {
  const registry = (globalThis as { readonly [OTEL_REGISTRY]?: OtelRegistry })[OTEL_REGISTRY]
  // Both are asked for each call: who listens may come later than the first request.
  if (!hideOwnRequests() && registry === undefined) return fn()
  const manager = registry?.context
  if (manager === undefined) return runOwnWork(fn)
  return runOwnWork(() => manager.with(manager.active().setValue(SUPPRESS_TRACING, true), fn))
}
