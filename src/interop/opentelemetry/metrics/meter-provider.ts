import {
  type Attributes,
  type BatchObservableCallback,
  type Counter,
  diag,
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
import { fmetric, imetric, toName } from '../../../tracing/metric.ts'
import { BoundedTable, TableBound } from '../../../tracing/values/bounded-table.ts'
import { BridgeProvider, type BridgeState } from '../bridge-state.ts'
import { targetOf } from '../spans/tracer-provider.ts'
import { BridgeCounter, BridgeRecorder, BridgeUpDownCounter, type InstrumentSite } from './instruments.ts'
import { BridgeObservable, type ObservableKind } from './observable.ts'
import type { ObservableCollector } from './observable-collector.ts'

/** Meters of a bridge, and instruments of them all, that are remembered; past it each call makes another. */
const MAX_METERS = 256
const MAX_INSTRUMENTS = 4096
/** What OpenTelemetry's specification allows for the name of an instrument; another one is told of, and serves. */
const INSTRUMENT_NAME = /^[a-z][\w.\-/]{0,254}$/i

/** Makes metrics of the instruments of OpenTelemetry's API. */
export class MicromegasMeterProvider extends BridgeProvider implements MeterProvider {
  readonly #state: BridgeState
  readonly #collector: ObservableCollector
  readonly #meters = new BoundedTable<string, BridgeMeter>(new TableBound(MAX_METERS))
  readonly #instrumentBound = new TableBound(MAX_INSTRUMENTS)

  constructor(state: BridgeState, collector: ObservableCollector) {
    super()
    this.#state = state
    this.#collector = collector
  }

  /** Asks the observable instruments for their values first. */
  override async forceFlush(): Promise<void> {
    this.#collector.collect()
    await super.forceFlush()
  }

  getMeter(name: string): Meter {
    const target = targetOf(name)
    const make = (ownTarget: string): BridgeMeter =>
      new BridgeMeter(this.#state, this.#collector, ownTarget, this.#instrumentBound)
    return this.#meters.getOrMake(target, make) ?? make(target)
  }
}

class BridgeMeter implements Meter {
  private readonly state: BridgeState
  private readonly collector: ObservableCollector
  private readonly target: string
  private readonly instruments: BoundedTable<string, unknown>
  /** What the first instrument of a name is, by the name in lower case: names differ by more than case. */
  private readonly identities: BoundedTable<string, string>

  constructor(state: BridgeState, collector: ObservableCollector, target: string, bound: TableBound) {
    this.state = state
    this.collector = collector
    this.target = target
    this.instruments = new BoundedTable(bound)
    this.identities = new BoundedTable(new TableBound(MAX_INSTRUMENTS))
  }

  createCounter<A extends Attributes>(name: string, options?: MetricOptions): Counter<A> {
    return this.instrument('counter', name, options, (site) => new BridgeCounter(site))
  }

  createUpDownCounter<A extends Attributes>(name: string, options?: MetricOptions): UpDownCounter<A> {
    return this.instrument('up-down counter', name, options, (site) => new BridgeUpDownCounter(site))
  }

  createGauge<A extends Attributes>(name: string, options?: MetricOptions): Gauge<A> {
    return this.instrument('gauge', name, options, (site) => new BridgeRecorder(site, false))
  }

  createHistogram<A extends Attributes>(name: string, options?: MetricOptions): Histogram<A> {
    return this.instrument('histogram', name, options, (site) => new BridgeRecorder(site, true))
  }

  createObservableGauge<A extends Attributes>(name: string, options?: MetricOptions): ObservableGauge<A> {
    return this.observable('gauge', name, options)
  }

  createObservableCounter<A extends Attributes>(name: string, options?: MetricOptions): ObservableCounter<A> {
    return this.observable('counter', name, options)
  }

  createObservableUpDownCounter<A extends Attributes>(
    name: string,
    options?: MetricOptions,
  ): ObservableUpDownCounter<A> {
    return this.observable('up-down counter', name, options)
  }

  addBatchObservableCallback<A extends Attributes>(
    callback: BatchObservableCallback<A>,
    observables: Observable<A>[],
  ): void {
    this.collector.addBatch(callback as BatchObservableCallback, observables)
  }

  removeBatchObservableCallback<A extends Attributes>(
    callback: BatchObservableCallback<A>,
    observables: Observable<A>[],
  ): void {
    this.collector.removeBatch(callback as BatchObservableCallback, observables)
  }

  private observable<A extends Attributes>(
    kind: ObservableKind,
    name: string,
    options: MetricOptions | undefined,
  ): Observable<A> {
    const make = (site: InstrumentSite): Observable<A> =>
      new BridgeObservable(site, kind, this.collector) as unknown as Observable<A>
    return this.instrument(`observable ${kind}`, name, options, make)
  }

  /** Asked again for the same, the same instrument: it may hold a sum. */
  private instrument<I>(
    kind: string,
    name: string,
    options: MetricOptions | null | undefined,
    make: (site: InstrumentSite) => I,
  ): I {
    const shownName = toName(name)
    if (typeof name !== 'string' || !INSTRUMENT_NAME.test(name)) {
      diag.warn(
        `micromegas: Invalid metric name: "${shownName}": expected a letter, then letters, digits, "_", ".", "-" or "/", 255 characters at most`,
      )
    }
    const { unit, isInteger } = readOptions(options)
    const identity = `${isInteger ? 'integer' : 'double'} ${kind} of unit "${unit}"`
    const makeInstrument = (): I => {
      const metric = (isInteger ? imetric : fmetric)(shownName, unit, { target: this.target })
      const conflict = this.conflictOf(shownName, identity)
      return make({ state: this.state, metric, name: shownName, isInteger, conflict })
    }
    const key = `${identity}\0${shownName}`
    return (this.instruments.getOrMake(key, makeInstrument) as I | undefined) ?? makeInstrument()
  }

  private conflictOf(name: string, identity: string): string | undefined {
    const first = this.identities.getOrMake(name.toLowerCase(), () => identity)
    if (first === undefined || first === identity) return undefined
    return `the metric ${name} of ${this.target} has values of two instruments, a ${first} and a ${identity}`
  }
}

/** Options as callers pass them: whatever they are, there is an instrument. */
function readOptions(options: MetricOptions | null | undefined): {
  readonly unit: string
  readonly isInteger: boolean
} {
  try {
    const { unit, valueType } = options ?? {}
    return { unit: toName(unit ?? ''), isInteger: valueType === ValueType.INT }
  } catch {
    return { unit: '', isInteger: false } // a getter that throws
  }
}
