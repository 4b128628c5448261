/** Told of the natural end of a process, or of a worker thread. */
export interface EndObserver {
  /**
   * The event loop has run dry, and nobody has been told.
   *
   * @returns True when something was begun that is to be waited for: the listeners of `beforeExit` are told when the loop
   * runs dry again, and see one end.
   */
  onDry(): boolean
  /** The process ends now, whatever happens. Listeners of `exit` that were added later are still to run. */
  onExiting(): void
  /** Every listener of `exit` has run: nothing of the program will any more. Called more than once. */
  onExit(): void
}

type Emit = (...args: unknown[]) => boolean

/** What is wrapped, by the types that matter here. */
interface Wrapped {
  emit: Emit
  reallyExit: (code?: number) => never
}

/**
 * Sees a process end, before the first listener of `beforeExit` and after the last one of `exit`, whenever they were
 * added. A listener could not: those that are added later run later, and one for `beforeExit` that waits for something
 * has the event repeated to all the others. So `process.emit` is wrapped, as Node calls it by that name, and
 * `process.reallyExit`, which is called last where somebody else has wrapped `emit` further out. Runtimes that do not call
 * them fall back on listeners.
 */
export class ProcessEnd {
  readonly #observer: EndObserver
  #active = true
  /** Emissions within one another: one for each time that `emit` was wrapped. */
  #depth = 0
  /** How each of our functions is taken off again. */
  readonly #ours: WeakMap<object, () => void> = new WeakMap()

  constructor(observer: EndObserver) {
    this.#observer = observer
    process.on('beforeExit', this.#onBeforeExit)
    process.on('exit', this.#onExit)
    this.wrapOutermost()
  }

  /** Wraps once more where others have wrapped since; to be called now and then while there is time. */
  wrapOutermost(): void {
    if (!this.#active) return
    this.#wrap('emit', (inner) => this.#emitVia(inner))
    this.#wrap('reallyExit', (inner) => {
      const end = this
      return function reallyExit(this: unknown, ...args: [number?]): never {
        end.#tell()
        return Reflect.apply(inner, this, args)
      }
    })
  }

  /** What is wrapped is given back, or passes everything on where others have wrapped it since. */
  stop(): void {
    this.#active = false
    process.off('beforeExit', this.#onBeforeExit)
    process.off('exit', this.#onExit)
    const host = process as unknown as Wrapped
    for (const name of ['emit', 'reallyExit'] as const) this.#ours.get(host[name])?.()
  }

  #wrap<K extends keyof Wrapped>(name: K, make: (inner: Wrapped[K]) => Wrapped[K]): void {
    const host = process as unknown as Wrapped
    const inner = host[name]
    if (typeof inner !== 'function' || this.#ours.has(inner)) return
    const inherited = !Object.hasOwn(host, name)
    const outer = make(inner)
    this.#ours.set(outer, () =>
      inherited ? Reflect.deleteProperty(host, name) : Reflect.set(host, name, inner),
    )
    Reflect.set(host, name, outer)
  }

  #emitVia(inner: Emit): Emit {
    const end = this
    return function emit(this: unknown, ...args: unknown[]): boolean {
      if (!end.#active || (args[0] !== 'exit' && args[0] !== 'beforeExit')) {
        return Reflect.apply(inner, this, args)
      }
      if (args[0] === 'beforeExit' && end.#observer.onDry()) return true
      end.#depth++
      try {
        return Reflect.apply(inner, this, args)
      } finally {
        if (--end.#depth === 0 && args[0] === 'exit') end.#tell()
      }
    }
  }

  readonly #onBeforeExit = (): void => {
    if (this.#depth === 0) this.#observer.onDry()
  }

  readonly #onExit = (): void => {
    if (this.#depth > 0) this.#observer.onExiting()
    else this.#tell()
  }

  #tell(): void {
    if (this.#active) this.#observer.onExit()
  }
}
