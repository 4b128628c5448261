import {
  type Attributes,
  type Context,
  context,
  diag,
  INVALID_SPAN_CONTEXT,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { isOwnWork } from '../../../model/runtime/own-work.ts'
import { type CallSite, captureCallSite, UNKNOWN_CALL_SITE } from '../../../tracing/call-site.ts'
import { dispatch } from '../../../tracing/dispatch.ts'
import { toName } from '../../../tracing/metric.ts'
import { LateSpan, lateRecord } from '../../../tracing/spans/open-span.ts'
import type { OpenAsyncSpan } from '../../../tracing/streams/span-stream.ts'
import { BoundedTable, TableBound } from '../../../tracing/values/bounded-table.ts'
import { BridgeProvider, type BridgeState } from '../bridge-state.ts'
import { isTracingSuppressed, spanOf, toContext, validContextOf } from '../propagation/api-context.ts'
import { BridgeSpan } from './bridge-span.ts'
import { MicromegasSpan, type RemoteTrace } from './micromegas-span.ts'

/** Tracers and span names of a bridge that are remembered; past it a span has no place. */
const MAX_TRACERS = 256
const MAX_SPAN_NAMES = 4096

type SpanFunction = (span: Span) => unknown

/** Makes async spans of the spans of OpenTelemetry's API. */
export class MicromegasTracerProvider extends BridgeProvider implements TracerProvider {
  readonly #state: BridgeState
  readonly #tracers = new BoundedTable<string, BridgeTracer>(new TableBound(MAX_TRACERS))
  readonly #nameBound = new TableBound(MAX_SPAN_NAMES)

  constructor(state: BridgeState) {
    super()
    this.#state = state
  }

  getTracer(name: string): Tracer {
    const target = targetOf(name)
    const make = (ownTarget: string): BridgeTracer =>
      new BridgeTracer(this.#state, ownTarget, this.#nameBound)
    return this.#tracers.getOrMake(target, make) ?? make(target)
  }
}

class BridgeTracer implements Tracer {
  private readonly state: BridgeState
  private readonly target: string
  /** Where spans of a name are begun. */
  private readonly places: BoundedTable<string, CallSite>

  constructor(state: BridgeState, target: string, nameBound: TableBound) {
    this.state = state
    this.target = target
    this.places = new BoundedTable(nameBound)
  }

  startSpan(name: string, options?: SpanOptions | null, parentContext?: Context | null): Span {
    return this.start(name, options, toContext(parentContext), this.startSpan)
  }

  startActiveSpan<F extends SpanFunction>(name: string, fn: F): ReturnType<F>
  startActiveSpan<F extends SpanFunction>(name: string, options: SpanOptions, fn: F): ReturnType<F>
  startActiveSpan<F extends SpanFunction>(
    name: string,
    options: SpanOptions,
    parentContext: Context,
    fn: F,
  ): ReturnType<F>
  /** Without a function there is nothing to run: no span is made, and nothing returned. */
  startActiveSpan(name: string, ...args: unknown[]): unknown {
    const fn = args[Math.min(args.length, 3) - 1]
    if (typeof fn !== 'function') {
      diag.warn('micromegas: startActiveSpan is called without a function, no span is made')
      return undefined
    }
    const options = args.length > 1 ? (args[0] as SpanOptions | null) : undefined
    const parentContext = toContext(args.length > 2 ? (args[1] as Context | null) : undefined)
    const span = this.start(name, options, parentContext, this.startActiveSpan)
    return context.with(trace.setSpan(parentContext, span), fn as SpanFunction, undefined, span)
  }

  private start(
    name: string,
    options: SpanOptions | null | undefined,
    parentContext: Context,
    callee: (...args: never[]) => unknown,
  ): Span {
    const { isRoot, kind, attributes, links } = readOptions(options)
    const parent = isRoot ? undefined : spanOf(parentContext)
    if (!this.state.active || !dispatch.cpu.enabled || isTracingSuppressed(parentContext) || isOwnWork()) {
      // What comes in goes out again: a trace does not break where nothing is recorded.
      return trace.wrapSpanContext(validContextOf(parent) ?? INVALID_SPAN_CONTEXT)
    }
    const isOurs = parent instanceof MicromegasSpan
    const remote = isOurs ? undefined : validContextOf(parent)
    const shownName = toName(name)
    const open = this.open(shownName, isOurs ? parent.open : undefined, callee)
    return new BridgeSpan({
      open,
      remote: isOurs ? parent.remote : toRemoteTrace(remote),
      target: this.target,
      name: shownName,
      kind,
      remoteParentId: remote?.spanId,
      attributes,
      links,
    })
  }

  private open(
    name: string,
    parent: OpenAsyncSpan | undefined,
    callee: (...args: never[]) => unknown,
  ): LateSpan {
    const place = this.places.getOrMake(name, () => callSiteAbove(callee)) ?? UNKNOWN_CALL_SITE
    const open = new LateSpan(lateRecord(name, this.target, place), parent)
    open.begin()
    return open
  }
}

interface ReadOptions {
  readonly isRoot: boolean
  readonly kind: string
  readonly attributes: Attributes | undefined
  readonly links: readonly Link[] | undefined
}

const NO_OPTIONS: ReadOptions = {
  isRoot: false,
  kind: SpanKind[SpanKind.INTERNAL],
  attributes: undefined,
  links: undefined,
}

/** Options as callers pass them: whatever they are, there is a span. */
function readOptions(options: SpanOptions | null | undefined): ReadOptions {
  if (options === undefined || options === null) return NO_OPTIONS
  try {
    const { root, kind, attributes, links } = options
    return {
      isRoot: Boolean(root),
      kind: SpanKind[typeof kind === 'number' ? kind : SpanKind.INTERNAL] ?? '',
      attributes,
      links,
    }
  } catch {
    return NO_OPTIONS // a getter that throws
  }
}

function toRemoteTrace(parent: SpanContext | undefined): RemoteTrace | undefined {
  if (parent === undefined) return undefined
  const { traceId, traceFlags, traceState } = parent
  return { traceId, traceFlags, traceState }
}

/** Target of what comes from a tracer, a meter or a logger; one without a name has a target all the same. */
export function targetOf(name: unknown): string {
  return toName(name || 'opentelemetry')
}

/** Where a tracer was got before the bridge was registered, its caller is hidden behind the API. */
function callSiteAbove(callee: (...args: never[]) => unknown): CallSite {
  const place = captureCallSite(callee)
  return place.file.includes('@opentelemetry') && place.file.includes('ProxyTracer')
    ? UNKNOWN_CALL_SITE
    : place
}
