import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { type Context, type ContextManager, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { dispatch } from '../../tracing/dispatch.ts'
import type { OpenAsyncSpan } from '../../tracing/span-stream.ts'
import { MicromegasSpan, NativeSpan } from './bridge-span.ts'

/** A context that code runs in, and the async span that was the innermost one when it was entered. */
interface Entered {
  readonly context: Context
  readonly open: OpenAsyncSpan | undefined
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

const BOUND = Symbol('micromegas.bound')

/**
 * Keeps OpenTelemetry's context and our async spans together: who enters a context is in its span for us too, and who
 * enters a span of ours finds it in the active context. So spans of both kinds are each other's parents.
 */
export class MicromegasContextManager implements ContextManager {
  readonly #entered = new AsyncLocalStorage<Entered>()
  /** Contexts made for spans of our own, by span; the base is the context around it. */
  readonly #nativeContexts = new WeakMap<OpenAsyncSpan, { base: Context; context: Context }>()
  #enabled = true

  /** False once the API, or the bridge, has switched the manager off. */
  get enabled(): boolean {
    return this.#enabled
  }

  active(): Context {
    const entered = this.#entered.getStore()
    const base = entered?.context ?? ROOT_CONTEXT
    const open = dispatch.asyncSpans.getStore()
    if (open === entered?.open) return base
    return open === undefined ? trace.deleteSpan(base) : this.#contextOf(open, base)
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const span = trace.getSpan(context)
    const open = span instanceof MicromegasSpan ? span.open : undefined
    const entered: Entered = { context, open }
    if (dispatch.asyncSpans.getStore() === open) {
      return this.#entered.run(entered, Reflect.apply, fn, thisArg, args) as ReturnType<F>
    }
    // Without a span in the context there is none for us.
    return dispatch.asyncSpans.run(open as OpenAsyncSpan, () =>
      this.#entered.run(entered, Reflect.apply, fn, thisArg, args),
    ) as ReturnType<F>
  }

  /** Binds a function, or all listeners of an emitter: they run in the context whoever calls them. */
  bind<T>(context: Context, target: T): T {
    if (target instanceof EventEmitter) this.#bindEmitter(context, target)
    if (typeof target !== 'function') return target
    const manager = this
    const fn = target as unknown as AnyFunction
    function bound(this: unknown, ...args: unknown[]): unknown {
      return manager.with(context, fn, this, ...args)
    }
    Object.defineProperty(bound, 'length', { value: fn.length, configurable: true })
    return bound as unknown as T
  }

  enable(): this {
    this.#enabled = true
    return this
  }

  disable(): this {
    this.#enabled = false
    this.#entered.disable()
    return this
  }

  /** The first context that an emitter is bound to stays, as in OpenTelemetry's own context manager. */
  #bindEmitter(context: Context, emitter: EventEmitter & { [BOUND]?: boolean }): void {
    if (emitter[BOUND]) return
    Object.defineProperty(emitter, BOUND, { value: true })
    const emit = emitter.emit as (this: unknown, ...args: unknown[]) => boolean
    Object.defineProperty(emitter, 'emit', {
      value: (...args: unknown[]) => this.with(context, emit, emitter, ...args),
      configurable: true,
      writable: true,
    })
  }

  #contextOf(open: OpenAsyncSpan, base: Context): Context {
    const known = this.#nativeContexts.get(open)
    if (known?.base === base) return known.context
    const around = trace.getSpan(base)
    const isSameTrace = around instanceof MicromegasSpan && around.open.rootSpanId === open.rootSpanId
    const span = new NativeSpan(open, isSameTrace ? around.remote : undefined, open.record.target)
    const context = trace.setSpan(base, span)
    this.#nativeContexts.set(open, { base, context })
    return context
  }
}
