import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from '@opentelemetry/api'
import { BaggagePropagator } from './baggage-propagator.ts'
import { TraceContextPropagator } from './trace-context-propagator.ts'

/** Carries what OpenTelemetry's SDK carries unless it is told otherwise: the trace context, then the baggage. */
export class DefaultPropagator implements TextMapPropagator {
  readonly #parts: readonly TextMapPropagator[] = [new TraceContextPropagator(), new BaggagePropagator()]

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    for (const part of this.#parts) part.inject(context, carrier, setter)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    return this.#parts.reduce((extracted, part) => part.extract(extracted, carrier, getter), context)
  }

  fields(): string[] {
    return this.#parts.flatMap((part) => part.fields())
  }
}
