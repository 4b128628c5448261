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
 * Runs `fn`, and what it starts, in an OpenTelemetry context in which nothing is traced: an upload that is traced makes
 * telemetry that is uploaded. The package is looked for and never loaded.
 */
export function withoutTracing<T>(fn: () => T): T {
  const registry = (globalThis as { readonly [OTEL_REGISTRY]?: OtelRegistry })[OTEL_REGISTRY]
  const manager = registry?.context
  if (manager === undefined) return fn()
  return manager.with(manager.active().setValue(SUPPRESS_TRACING, true), fn)
}
