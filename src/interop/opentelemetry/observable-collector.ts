import { type BatchObservableCallback, diag, type ObservableCallback } from '@opentelemetry/api'
import { BridgeObservable } from './instruments.ts'

interface Batch {
  readonly callback: BatchObservableCallback
  readonly observables: ReadonlySet<unknown>
}

/** Asks the observable instruments of a bridge for their values, from the first callback on. */
export class ObservableCollector {
  readonly #periodMs: number
  readonly #callbacks = new Map<BridgeObservable, Set<ObservableCallback>>()
  #batches: Batch[] = []
  /** Callbacks whose promise has not settled yet: they are not asked again meanwhile. */
  readonly #pending = new Set<unknown>()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(periodMs: number) {
    this.#periodMs = periodMs
  }

  add(observable: BridgeObservable, callback: ObservableCallback): void {
    const callbacks = this.#callbacks.get(observable)
    if (callbacks === undefined) this.#callbacks.set(observable, new Set([callback]))
    else callbacks.add(callback)
    this.#start()
  }

  remove(observable: BridgeObservable, callback: ObservableCallback): void {
    const callbacks = this.#callbacks.get(observable)
    callbacks?.delete(callback)
    if (callbacks?.size === 0) this.#callbacks.delete(observable)
    this.#stopWhenIdle()
  }

  addBatch(callback: BatchObservableCallback, observables: readonly unknown[]): void {
    if (this.#indexOf(callback, observables) >= 0) return
    this.#batches.push({ callback, observables: new Set(observables) })
    this.#start()
  }

  removeBatch(callback: BatchObservableCallback, observables: readonly unknown[]): void {
    const index = this.#indexOf(callback, observables)
    if (index >= 0) this.#batches.splice(index, 1)
    this.#stopWhenIdle()
  }

  /** Asks every callback once. What one throws is told to the API's diagnostics, and the others are asked still. */
  collect(): void {
    for (const [observable, callbacks] of [...this.#callbacks]) {
      for (const callback of [...callbacks]) this.#call(callback, () => callback(observable.result))
    }
    for (const batch of [...this.#batches]) {
      this.#call(batch, () =>
        batch.callback({
          observe: (observable, value, attributes) => {
            if (!batch.observables.has(observable)) return // the specification: only those it was registered for
            if ((observable as unknown) instanceof BridgeObservable) {
              ;(observable as unknown as BridgeObservable).observe(value, attributes)
            }
          },
        }),
      )
    }
  }

  /** Asks once more, so that a short run has its values, and ends. */
  stop(): void {
    if (!this.#stopped) this.collect()
    this.#stopped = true
    clearInterval(this.#timer)
  }

  #call(key: unknown, call: () => void | Promise<void>): void {
    if (this.#pending.has(key)) return
    try {
      const result = call()
      if (!(result instanceof Promise)) return
      this.#pending.add(key)
      result.catch(report).finally(() => this.#pending.delete(key))
    } catch (error) {
      report(error)
    }
  }

  #start(): void {
    if (this.#stopped) return
    this.#timer ??= setInterval(() => this.collect(), this.#periodMs).unref()
  }

  #stopWhenIdle(): void {
    if (this.#callbacks.size > 0 || this.#batches.length > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #indexOf(callback: BatchObservableCallback, observables: readonly unknown[]): number {
    return this.#batches.findIndex(
      (batch) =>
        batch.callback === callback &&
        batch.observables.size === observables.length &&
        observables.every((observable) => batch.observables.has(observable)),
    )
  }
}

function report(error: unknown): void {
  diag.error('micromegas: a callback of an observable instrument failed', error)
}
