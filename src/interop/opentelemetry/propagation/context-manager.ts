import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { type Context, type ContextManager, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { dispatch } from '../../../tracing/dispatch.ts'
import type { OpenAsyncSpan } from '../../../tracing/streams/span-stream.ts'
import { MicromegasSpan } from '../spans/micromegas-span.ts'
import { NativeSpan } from '../spans/native-span.ts'
import { spanOf, toContext } from './api-context.ts'

/** A context that code runs in, and the async span that was the innermost one when it was entered. */
interface Entered {
  readonly context: Context
  readonly open: OpenAsyncSpan | undefined
}

/** What {@link MicromegasContextManager.attach} gives: the API's type has it from version 1.10 on. */
export interface ContextManagementToken {
  /** Goes back to the context there was before. Later calls do nothing. */
  dispose(): void
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

/**
 * Keeps OpenTelemetry's context and our async spans together: who enters a context is in its span for us too, and who
 * enters a span of ours finds it in the active context. So spans of both kinds are each other's parents.
 *
 * Once it is disabled it keeps contexts for those who hold it, apart from our spans, which another manager may follow.
 */
export class MicromegasContextManager implements ContextManager {
  readonly #entered = new AsyncLocalStorage<Entered | undefined>()
  /** Contexts made for spans of our own, by span; the base is the context around it. */
  readonly #nativeContexts = new WeakMap<OpenAsyncSpan, { base: Context; context: Context }>()
  readonly #boundEmitters = new WeakSet<EventEmitter>()
  #enabled = true

  /** False once the API, or the bridge, has switched the manager off. */
  get enabled(): boolean {
    return this.#enabled
  }

  active(): Context {
    const entered = this.#entered.getStore()
    const base = entered?.context ?? ROOT_CONTEXT
    if (!this.#enabled) return base
    const open = dispatch.asyncSpans.getStore()
    if (open === entered?.open) return base
    return open === undefined ? trace.deleteSpan(toContext(base)) : this.#contextOf(open, toContext(base))
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const entered = this.#enter(context)
    if (!this.#enabled || dispatch.asyncSpans.getStore() === entered.open) {
      return this.#entered.run(entered, Reflect.apply, fn, thisArg, args) as ReturnType<F>
    }
    // Without a span in the context there is none for us.
    return dispatch.asyncSpans.run(entered.open as OpenAsyncSpan, () =>
      this.#entered.run(entered, Reflect.apply, fn, thisArg, args),
    ) as ReturnType<F>
  }

  /**
   * Makes a context the active one of the running code and of what it starts, until the token is disposed of. Prefer
   * {@link with}: within an `async` function, before its first `await`, the context stays with the caller.
   */
  attach(context: Context): ContextManagementToken {
    const before = this.#entered.getStore()
    const entered = this.#enter(context)
    this.#entered.enterWith(entered)
    const followsSpans = this.#enabled
    const openBefore = dispatch.asyncSpans.getStore()
    if (followsSpans) dispatch.asyncSpans.enterWith(entered.open as OpenAsyncSpan)
    let disposed = false
    return {
      dispose: () => {
        if (disposed) return
        disposed = true
        this.#entered.enterWith(before)
        if (followsSpans) dispatch.asyncSpans.enterWith(openBefore as OpenAsyncSpan)
      },
    }
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

  #enter(context: Context | null | undefined): Entered {
    const span = spanOf(context)
    return { context: context ?? ROOT_CONTEXT, open: span instanceof MicromegasSpan ? span.open : undefined }
  }

  /** The first context that an emitter is bound to stays, as in OpenTelemetry's own context manager. */
  #bindEmitter(context: Context, emitter: EventEmitter): void {
    if (this.#boundEmitters.has(emitter)) return
    this.#boundEmitters.add(emitter)
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
