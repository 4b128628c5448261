import {
  type Attributes,
  type BatchObservableCallback,
  type Counter,
  type Gauge,
  type Histogram,
  type Meter,
  type MeterProvider,
  type MetricOptions,
  type Observable,
  type ObservableCounter,
  type ObservableGauge,
  type ObservableUpDownCounter,
  type UpDownCounter,
  ValueType,
} from '@opentelemetry/api'
import { BoundedTable, TableBound } from '../../tracing/bounded-table.ts'
import { type FloatMetric, fmetric, type IntegerMetric, imetric, toName } from '../../tracing/metric.ts'
import type { BridgeState } from './bridge-state.ts'
import {
  BridgeCounter,
  BridgeObservable,
  BridgeRecorder,
  BridgeUpDownCounter,
  type MetricKind,
} from './instruments.ts'
import type { ObservableCollector } from './observable-collector.ts'
import { DEFAULT_TARGET } from './tracer-provider.ts'

/** Meters of a bridge, and instruments of them all, that are remembered; past it each call makes another. */
const MAX_METERS = 256
const MAX_INSTRUMENTS = 4096

/** Makes metrics of the instruments of OpenTelemetry's API. */
export class MicromegasMeterProvider implements MeterProvider {
  readonly #state: BridgeState
  readonly #collector: ObservableCollector
  readonly #meters = new BoundedTable<string, BridgeMeter>(new TableBound(MAX_METERS))
  readonly #instrumentBound = new TableBound(MAX_INSTRUMENTS)

  constructor(state: BridgeState, collector: ObservableCollector) {
    this.#state = state
    this.#collector = collector
  }

  getMeter(name: string): Meter {
    const target = toName(name || DEFAULT_TARGET)
    const make = (ownTarget: string): BridgeMeter =>
      new BridgeMeter(this.#state, this.#collector, ownTarget, this.#instrumentBound)
    return this.#meters.getOrMake(target, make) ?? make(target)
  }
}

class BridgeMeter implements Meter {
  readonly #state: BridgeState
  readonly #collector: ObservableCollector
  readonly #target: string
  readonly #instruments: BoundedTable<string, unknown>

  constructor(state: BridgeState, collector: ObservableCollector, target: string, bound: TableBound) {
    this.#state = state
    this.#collector = collector
    this.#target = target
    this.#instruments = new BoundedTable(bound)
  }

  createCounter<A extends Attributes>(name: string, options?: MetricOptions): Counter<A> {
    return this.#instrument('counter', name, options, (metric) => new BridgeCounter(this.#state, metric))
  }

  createUpDownCounter<A extends Attributes>(name: string, options?: MetricOptions): UpDownCounter<A> {
    return this.#instrument('sum', name, options, (metric) => new BridgeUpDownCounter(this.#state, metric))
  }

  createGauge<A extends Attributes>(name: string, options?: MetricOptions): Gauge<A> {
    return this.#instrument(
      'gauge',
      name,
      options,
      (metric) => new BridgeRecorder(this.#state, metric, false),
    )
  }

  createHistogram<A extends Attributes>(name: string, options?: MetricOptions): Histogram<A> {
    return this.#instrument(
      'histogram',
      name,
      options,
      (metric) => new BridgeRecorder(this.#state, metric, true),
    )
  }

  createObservableGauge<A extends Attributes>(name: string, options?: MetricOptions): ObservableGauge<A> {
    return this.#observable('gauge', name, options)
  }

  createObservableCounter<A extends Attributes>(name: string, options?: MetricOptions): ObservableCounter<A> {
    return this.#observable('counter', name, options)
  }

  createObservableUpDownCounter<A extends Attributes>(
    name: string,
    options?: MetricOptions,
  ): ObservableUpDownCounter<A> {
    return this.#observable('sum', name, options)
  }

  addBatchObservableCallback<A extends Attributes>(
    callback: BatchObservableCallback<A>,
    observables: Observable<A>[],
  ): void {
    this.#collector.addBatch(callback as BatchObservableCallback, observables as unknown[])
  }

  removeBatchObservableCallback<A extends Attributes>(
    callback: BatchObservableCallback<A>,
    observables: Observable<A>[],
  ): void {
    this.#collector.removeBatch(callback as BatchObservableCallback, observables as unknown[])
  }

  #observable<A extends Attributes>(
    kind: MetricKind,
    name: string,
    options: MetricOptions | undefined,
  ): Observable<A> {
    return this.#instrument(
      `observable ${kind}`,
      name,
      options,
      (metric) =>
        new BridgeObservable(this.#state, metric, kind, this.#collector) as unknown as Observable<A>,
    )
  }

  /** Asked again for the same, the same instrument: it may hold a sum. */
  #instrument<I>(
    kind: string,
    name: string,
    { unit = '', valueType = ValueType.DOUBLE }: MetricOptions = {},
    make: (metric: FloatMetric | IntegerMetric) => I,
  ): I {
    const key = `${kind}\0${valueType}\0${unit}\0${name}`
    const metricOf = valueType === ValueType.INT ? imetric : fmetric
    const makeInstrument = (): I => make(metricOf(name, unit, { target: this.#target }))
    return (this.#instruments.getOrMake(key, makeInstrument) as I | undefined) ?? makeInstrument()
  }
}
