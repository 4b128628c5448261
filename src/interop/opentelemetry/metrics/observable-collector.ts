import { AsyncLocalStorage } from 'node:async_hooks'
import { type BatchObservableCallback, diag, type ObservableCallback } from '@opentelemetry/api'
import { dispatch } from '../../../tracing/dispatch.ts'
import { BridgeObservable, Observations } from './observable.ts'

/** A callback and the instruments it was registered for: one for a callback of an instrument, any number for a batch. */
interface Registration {
  readonly callback: unknown
  readonly observables: ReadonlySet<BridgeObservable>
  readonly isBatch: boolean
}

/** Asks the observable instruments of a bridge for their values, from the first callback on. */
export class ObservableCollector {
  readonly #periodMs: number
  readonly #registrations: Registration[] = []
  /** Those whose promise has not settled yet: they are not asked again meanwhile. */
  readonly #pending = new Set<Registration>()
  /** Callbacks belong to no request: whoever registers the first one may be in one. */
  readonly #detached: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot()
  readonly #onEnd = (): void => this.collect()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(periodMs: number) {
    this.#periodMs = periodMs
    dispatch.beforeEnd.add(this.#onEnd)
  }

  add(callback: ObservableCallback, observable: BridgeObservable): void {
    this.#add({ callback, observables: new Set([observable]), isBatch: false })
  }

  remove(callback: ObservableCallback, observable: BridgeObservable): void {
    this.#remove({ callback, observables: new Set([observable]), isBatch: false })
  }

  /** What is no instrument of the bridge is passed over; a batch of nothing else is told to the API's diagnostics. */
  addBatch(callback: BatchObservableCallback, given: unknown): void {
    const observables = observablesOf(given)
    if (observables.size > 0) this.#add({ callback, observables, isBatch: true })
    else diag.error('micromegas: a batch callback is not added: it has no observable instrument')
  }

  removeBatch(callback: BatchObservableCallback, given: unknown): void {
    this.#remove({ callback, observables: observablesOf(given), isBatch: true })
  }

  /** Asks every callback once. What one throws is told to the API's diagnostics and counted; the others are asked still. */
  collect(): void {
    if (this.#stopped) return
    for (const registration of [...this.#registrations]) this.#ask(registration)
  }

  /** Asks once more, so that a short run has its values, and ends. */
  stop(): void {
    this.collect()
    this.#stopped = true
    dispatch.beforeEnd.delete(this.#onEnd)
    clearInterval(this.#timer)
  }

  #ask(registration: Registration): void {
    if (this.#pending.has(registration)) return
    const observed = new Map([...registration.observables].map((each) => [each, new Observations(each)]))
    const record = (): void => {
      for (const observations of observed.values()) observations.record()
    }
    try {
      const outcome = this.#detached(() => call(registration, observed))
      if (!isThenable(outcome)) return record()
      this.#pending.add(registration)
      // A promise of another realm, or what only looks like one, is as good as one of this.
      void Promise.resolve(outcome)
        .then(record)
        .catch(report)
        .finally(() => this.#pending.delete(registration))
    } catch (error) {
      report(error)
    }
  }

  #add(registration: Registration): void {
    if (this.#indexOf(registration) >= 0) return
    this.#registrations.push(registration)
    if (this.#stopped) return
    this.#timer ??= this.#detached(() => setInterval(() => this.collect(), this.#periodMs).unref())
  }

  #remove(registration: Registration): void {
    const index = this.#indexOf(registration)
    if (index >= 0) this.#registrations.splice(index, 1)
    if (this.#registrations.length > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #indexOf({ callback, observables, isBatch }: Registration): number {
    return this.#registrations.findIndex(
      (known) =>
        known.callback === callback &&
        known.isBatch === isBatch &&
        known.observables.size === observables.size &&
        [...observables].every((observable) => known.observables.has(observable)),
    )
  }
}

function call(
  { callback, observables, isBatch }: Registration,
  observed: ReadonlyMap<unknown, Observations>,
): unknown {
  const fn = callback as (result: unknown) => unknown
  if (!isBatch) return fn(observed.get([...observables][0]))
  return fn({
    // The specification: only the instruments that it was registered for.
    observe: (observable: unknown, value: number, attributes?: Record<string, unknown>) =>
      observed.get(observable)?.observe(value, attributes as never),
  })
}

function observablesOf(given: unknown): Set<BridgeObservable> {
  const items: readonly unknown[] = Array.isArray(given) ? given : []
  return new Set(items.filter((item) => item instanceof BridgeObservable))
}

/** Where asking for `then` throws, so does this: the callback has failed, as for OpenTelemetry's SDK. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && typeof (value as { readonly then?: unknown }).then === 'function'
}

function report(error: unknown): void {
  dispatch.metrics.countInvalid()
  diag.error('micromegas: a callback of an observable instrument failed', error)
}
