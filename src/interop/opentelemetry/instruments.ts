import type { Attributes, ObservableCallback, ObservableResult } from '@opentelemetry/api'
import { dispatch } from '../../tracing/dispatch.ts'
import type { FloatMetric, IntegerMetric } from '../../tracing/metric.ts'
import { type PropertySet, propertySet } from '../../tracing/property-set.ts'
import type { BridgeState } from './bridge-state.ts'
import type { ObservableCollector } from './observable-collector.ts'

type Metric = FloatMetric | IntegerMetric

/** How the values of an instrument are to be read. */
export type MetricKind = 'counter' | 'sum' | 'gauge'

/** Sets of attributes that one instrument keeps a sum for, as many as OpenTelemetry's SDK. */
const MAX_SUMS = 2000
/** What stands for all further ones, as OpenTelemetry's specification has it. */
const OVERFLOW = { 'otel.metric.overflow': true }

/** A histogram or a gauge: every value is recorded. */
export class BridgeRecorder {
  readonly #state: BridgeState
  readonly #metric: Metric
  readonly #isPositive: boolean

  constructor(state: BridgeState, metric: Metric, isPositive: boolean) {
    this.#state = state
    this.#metric = metric
    this.#isPositive = isPositive
  }

  record(value: number, attributes?: Attributes): void {
    if (!this.#state.active) return
    if (this.#isPositive && value < 0) return dispatch.metrics.countInvalid()
    this.#metric.record(value, toProperties(attributes))
  }
}

/** A counter: every increment is recorded, so that their sum over a time is what was counted in it. */
export class BridgeCounter {
  readonly #recorder: BridgeRecorder

  constructor(state: BridgeState, metric: Metric) {
    this.#recorder = new BridgeRecorder(state, metric, true)
  }

  add(value: number, attributes?: Attributes): void {
    this.#recorder.record(value, attributes)
  }
}

/** An up-down counter: what is recorded is the sum so far, by attributes. Steps up and down would say nothing alone. */
export class BridgeUpDownCounter {
  readonly #state: BridgeState
  readonly #metric: Metric
  readonly #sums = new Map<string, { readonly properties: PropertySet | undefined; sum: number }>()

  constructor(state: BridgeState, metric: Metric) {
    this.#state = state
    this.#metric = metric
  }

  add(value: number, attributes?: Attributes): void {
    if (!this.#state.active) return
    if (!Number.isFinite(value)) return dispatch.metrics.countInvalid()
    const entry = this.#sumOf(toProperties(attributes))
    entry.sum += value
    this.#metric.record(entry.sum, entry.properties)
  }

  #sumOf(properties: PropertySet | undefined): { properties: PropertySet | undefined; sum: number } {
    const key = keyOf(properties)
    const known = this.#sums.get(key)
    if (known !== undefined) return known
    if (this.#sums.size >= MAX_SUMS) {
      const overflow = propertySet(OVERFLOW)
      const overflowKey = keyOf(overflow)
      if (key !== overflowKey && !this.#sums.has(overflowKey)) {
        this.#sums.set(overflowKey, { properties: overflow, sum: 0 })
      }
      return this.#sums.get(overflowKey)!
    }
    const entry = { properties, sum: 0 }
    this.#sums.set(key, entry)
    return entry
  }
}

/**
 * An instrument that is asked for its values. A counter is told its total: recorded is what has come to it since it was
 * asked last, as for counters that are told their increments.
 */
export class BridgeObservable {
  readonly #state: BridgeState
  readonly #metric: Metric
  readonly #kind: MetricKind
  readonly #collector: ObservableCollector
  readonly #totals = new Map<string, number>()

  constructor(state: BridgeState, metric: Metric, kind: MetricKind, collector: ObservableCollector) {
    this.#state = state
    this.#metric = metric
    this.#kind = kind
    this.#collector = collector
  }

  addCallback(callback: ObservableCallback): void {
    this.#collector.add(this, callback)
  }

  removeCallback(callback: ObservableCallback): void {
    this.#collector.remove(this, callback)
  }

  /** What a callback is given. */
  readonly result: ObservableResult = {
    observe: (value: number, attributes?: Attributes) => this.observe(value, attributes),
  }

  observe(value: number, attributes?: Attributes): void {
    if (!this.#state.active) return
    const properties = toProperties(attributes)
    if (this.#kind !== 'counter') return this.#metric.record(value, properties)
    if (!(value >= 0)) return dispatch.metrics.countInvalid()
    const increment = this.#incrementOf(value, keyOf(properties))
    if (increment === undefined) dispatch.metrics.countInvalid()
    else this.#metric.record(increment, properties)
  }

  /** A total below the last one is that of a counter begun anew. Undefined past the bound, where no total is kept. */
  #incrementOf(total: number, key: string): number | undefined {
    const last = this.#totals.get(key)
    if (last === undefined && this.#totals.size >= MAX_SUMS) return undefined
    this.#totals.set(key, total)
    return last === undefined || total < last ? total : total - last
  }
}

function toProperties(attributes: Attributes | undefined): PropertySet | undefined {
  if (attributes === undefined || attributes === null) return undefined
  const properties = propertySet(attributes)
  return properties.entries.length === 0 ? undefined : properties
}

/** The same text for the same attributes in any order. */
function keyOf(properties: PropertySet | undefined): string {
  if (properties === undefined) return ''
  const { entries } = properties
  return JSON.stringify(entries.length < 2 ? entries : [...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}
