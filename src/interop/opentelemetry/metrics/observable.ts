import type { Attributes, ObservableCallback } from '@opentelemetry/api'
import { dispatch } from '../../../tracing/dispatch.ts'
import type { PropertySet } from '../../../tracing/values/property-set.ts'
import { type InstrumentSite, keyOf, MAX_SUMS, toProperties, toValue } from './instruments.ts'
import type { ObservableCollector } from './observable-collector.ts'

/** How the values of an observable instrument are to be read. */
export type ObservableKind = 'counter' | 'up-down counter' | 'gauge'

interface Observation {
  readonly value: number
  readonly properties: PropertySet | undefined
}

/** What one call of a callback says of one instrument: by attributes, the last value counts. */
export class Observations {
  private readonly observable: BridgeObservable
  private readonly values = new Map<string, Observation>()

  constructor(observable: BridgeObservable) {
    this.observable = observable
  }

  readonly observe = (value: number, attributes?: Attributes): void => {
    const shown = toValue(this.observable.site, value, this.observable.kind === 'counter')
    if (shown === undefined) return
    const properties = toProperties(attributes)
    this.values.set(keyOf(properties), { value: shown, properties })
  }

  /** Called once the callback has ended well: what one observed that failed is not recorded. */
  record(): void {
    for (const [key, { value, properties }] of this.values) this.observable.record(key, value, properties)
    this.values.clear()
  }
}

/**
 * An instrument that is asked for its values. A counter is told its total: recorded is what has come to it since it was
 * asked last, as for counters that are told their increments.
 */
export class BridgeObservable {
  readonly site: InstrumentSite
  readonly kind: ObservableKind
  private readonly collector: ObservableCollector
  private readonly totals = new Map<string, number>()

  constructor(site: InstrumentSite, kind: ObservableKind, collector: ObservableCollector) {
    this.site = site
    this.kind = kind
    this.collector = collector
  }

  addCallback(callback: ObservableCallback): void {
    this.collector.add(callback, this)
  }

  removeCallback(callback: ObservableCallback): void {
    this.collector.remove(callback, this)
  }

  record(key: string, value: number, properties: PropertySet | undefined): void {
    const { state, metric } = this.site
    if (!state.active) return
    if (this.kind !== 'counter') return metric.record(value, properties)
    const increment = this.incrementOf(value, key)
    if (increment === undefined) dispatch.metrics.countInvalid()
    else metric.record(increment, properties)
  }

  /** A total below the last one is that of a counter begun anew. Undefined past the bound, where no total is kept. */
  private incrementOf(total: number, key: string): number | undefined {
    const last = this.totals.get(key)
    if (last === undefined && this.totals.size >= MAX_SUMS) return undefined
    this.totals.set(key, total)
    return last === undefined || total < last ? total : total - last
  }
}
