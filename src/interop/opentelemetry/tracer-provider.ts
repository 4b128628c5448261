import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { BoundedTable, TableBound } from '../../tracing/bounded-table.ts'
import { type CallSite, captureCallSite, UNKNOWN_CALL_SITE } from '../../tracing/call-site.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import { toName } from '../../tracing/metric.ts'
import { type OpenAsyncSpan, SpanLocation, SpanRecord } from '../../tracing/span-stream.ts'
import { BridgeSpan, MicromegasSpan, type RemoteTrace } from './bridge-span.ts'
import type { BridgeState } from './bridge-state.ts'
import { isTracingSuppressed } from './suppression.ts'

/** Target of what comes from a tracer, a meter or a logger without a name. */
export const DEFAULT_TARGET = 'opentelemetry'

/** Tracers and span names of a bridge that are remembered; past it a span's events carry the name themselves. */
const MAX_TRACERS = 256
const MAX_SPAN_NAMES = 4096

type SpanFunction = (span: Span) => unknown

/** Makes async spans of the spans of OpenTelemetry's API. */
export class MicromegasTracerProvider implements TracerProvider {
  readonly #state: BridgeState
  readonly #tracers = new BoundedTable<string, BridgeTracer>(new TableBound(MAX_TRACERS))
  readonly #nameBound = new TableBound(MAX_SPAN_NAMES)

  constructor(state: BridgeState) {
    this.#state = state
  }

  getTracer(name: string): Tracer {
    const target = toName(name || DEFAULT_TARGET)
    const make = (ownTarget: string): BridgeTracer =>
      new BridgeTracer(this.#state, ownTarget, this.#nameBound)
    return this.#tracers.getOrMake(target, make) ?? make(target)
  }
}

class BridgeTracer implements Tracer {
  readonly #state: BridgeState
  readonly #target: string
  readonly #records: BoundedTable<string, SpanRecord>
  /** Stands for names that are not remembered. */
  readonly #location: SpanLocation

  constructor(state: BridgeState, target: string, nameBound: TableBound) {
    this.#state = state
    this.#target = target
    this.#records = new BoundedTable(nameBound)
    this.#location = new SpanLocation(target)
  }

  startSpan(name: string, options?: SpanOptions, parentContext: Context = context.active()): Span {
    return this.#start(name, options, parentContext, this.startSpan)
  }

  startActiveSpan<F extends SpanFunction>(name: string, fn: F): ReturnType<F>
  startActiveSpan<F extends SpanFunction>(name: string, options: SpanOptions, fn: F): ReturnType<F>
  startActiveSpan<F extends SpanFunction>(
    name: string,
    options: SpanOptions,
    parentContext: Context,
    fn: F,
  ): ReturnType<F>
  startActiveSpan<F extends SpanFunction>(
    name: string,
    ...args: (SpanOptions | Context | F)[]
  ): ReturnType<F> {
    const fn = args.at(-1) as F
    const options = args.length > 1 ? (args[0] as SpanOptions) : undefined
    const parentContext = args.length > 2 ? (args[1] as Context) : context.active()
    const span = this.#start(name, options, parentContext, this.startActiveSpan)
    return context.with(
      trace.setSpan(parentContext, span),
      fn as SpanFunction,
      undefined,
      span,
    ) as ReturnType<F>
  }

  #start(
    name: string,
    options: SpanOptions | undefined,
    parentContext: Context,
    callee: (...args: never[]) => unknown,
  ): Span {
    const parent = options?.root === true ? undefined : trace.getSpan(parentContext)
    if (!this.#state.active || !dispatch.cpu.enabled || isTracingSuppressed(parentContext)) {
      // What comes in goes out again: a trace does not break where nothing is recorded.
      return trace.wrapSpanContext(parent?.spanContext() ?? INVALID_SPAN_CONTEXT)
    }
    const isOurs = parent instanceof MicromegasSpan
    const remoteParent = isOurs ? undefined : toValidContext(parent)
    const shownName = toName(name)
    const open = this.#open(shownName, isOurs ? parent.open : undefined, callee)
    return new BridgeSpan({
      open,
      remote: isOurs ? parent.remote : toRemoteTrace(remoteParent),
      target: this.#target,
      name: shownName,
      kind: SpanKind[options?.kind ?? SpanKind.INTERNAL] ?? '',
      remoteParentId: remoteParent?.spanId,
      attributes: options?.attributes,
      links: options?.links,
    })
  }

  #open(
    name: string,
    parent: OpenAsyncSpan | undefined,
    callee: (...args: never[]) => unknown,
  ): OpenAsyncSpan {
    const record =
      this.#records.getOrMake(
        name,
        (ownName) => new SpanRecord(ownName, this.#target, callSiteAbove(callee)),
      ) ?? new SpanRecord(name, this.#target, UNKNOWN_CALL_SITE, this.#location)
    const spanId = dispatch.nextSpanId()
    const open: OpenAsyncSpan = {
      record,
      spanId,
      parentSpanId: parent?.spanId ?? 0,
      rootSpanId: parent?.rootSpanId ?? spanId,
      depth: parent === undefined ? 0 : parent.depth + 1,
      beginTicksLow: 0,
    }
    dispatch.cpu.beginAsyncSpan(open)
    return open
  }
}

/** Where a tracer was got before the bridge was registered, its caller is hidden behind the API. */
function callSiteAbove(callee: (...args: never[]) => unknown): CallSite {
  const place = captureCallSite(callee)
  return place.file.includes('@opentelemetry') && place.file.includes('ProxyTracer')
    ? UNKNOWN_CALL_SITE
    : place
}

function toValidContext(span: Span | undefined): SpanContext | undefined {
  const spanContext = span?.spanContext()
  return spanContext !== undefined && isSpanContextValid(spanContext) ? spanContext : undefined
}

function toRemoteTrace(parent: SpanContext | undefined): RemoteTrace | undefined {
  if (parent === undefined) return undefined
  const { traceId, traceFlags, traceState } = parent
  return { traceId, traceFlags, traceState }
}
