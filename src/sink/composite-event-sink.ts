import { tell } from '../config/diagnostics.ts'
import { EMPTY_REPORT, sumReports } from '../model/delivery-report.ts'
import type { DeliveryReport, EventSink, FlushOptions, LogEntry, SealedBlock } from '../model/event-sink.ts'
import type { ProcessInfo } from '../model/process-info.ts'
import { platformClock } from '../model/runtime/clock.ts'
import { errorMessage } from '../model/text/error-message.ts'
import { shareBlock } from '../tracing/streams/block-memory.ts'

export interface CompositeEventSinkOptions {
  /** Told what a sink throws or rejects with, which breaks its contract. @defaultValue one message of the package, once a sink */
  readonly onError?: ((error: unknown, sink: EventSink) => void) | undefined
}

/**
 * Hands everything to several sinks. A sink that fails costs the others nothing. Reports are added up: a block that went to
 * two sinks counts twice.
 */
export class CompositeEventSink implements EventSink {
  /** Absent when no sink shows logs, so that none are prepared. */
  readonly onLog?: (entry: LogEntry) => void
  /** Absent when no sink takes blocks, so that none are recorded. */
  readonly onBlock?: (block: SealedBlock) => void
  readonly #sinks: readonly EventSink[]
  readonly #onError: (error: unknown, sink: EventSink) => void
  #stopped: Promise<DeliveryReport> | undefined

  constructor(sinks: readonly EventSink[], options: CompositeEventSinkOptions = {}) {
    this.#sinks = [...sinks]
    this.#onError = options.onError ?? warnOnce()
    if (sinks.some((sink) => sink.onLog !== undefined)) {
      this.onLog = (entry) => this.#each(this.#sinks, (sink) => sink.onLog?.(entry))
    }
    const takers = sinks.filter((sink) => sink.onBlock !== undefined)
    if (takers.length > 0) {
      this.onBlock = (block) => {
        const shares = shareBlock(block, takers.length)
        this.#each(takers, (sink, i) => sink.onBlock?.(shares[i]!))
      }
    }
  }

  onStartup(process: ProcessInfo): void {
    this.#each(this.#sinks, (sink) => sink.onStartup(process))
  }

  flush(options?: FlushOptions): Promise<DeliveryReport> {
    return this.#all((sink) => sink.flush(options))
  }

  shutdown(options?: { readonly timeoutMs?: number | undefined }): Promise<DeliveryReport> {
    this.#stopped ??= this.#all((sink) => sink.shutdown(options))
    return this.#stopped
  }

  /** One sink after the other; together they take no longer than the time given. */
  flushSync(timeoutMs: number): void {
    this.#eachWithin(timeoutMs, (sink, leftMs) => sink.flushSync?.(leftMs))
  }

  /** As {@link flushSync}. */
  shutdownSync(timeoutMs: number): void {
    this.#eachWithin(timeoutMs, (sink, leftMs) => sink.shutdownSync?.(leftMs))
  }

  async #all(call: (sink: EventSink) => Promise<DeliveryReport>): Promise<DeliveryReport> {
    const reports = this.#sinks.map(async (sink) => {
      try {
        return await call(sink)
      } catch (error) {
        this.#onError(error, sink)
        return EMPTY_REPORT
      }
    })
    return sumReports(await Promise.all(reports))
  }

  #eachWithin(timeoutMs: number, call: (sink: EventSink, leftMs: number) => void): void {
    const deadlineMs = platformClock.now() + timeoutMs
    this.#each(this.#sinks, (sink) => call(sink, Math.max(0, deadlineMs - platformClock.now())))
  }

  #each(sinks: readonly EventSink[], call: (sink: EventSink, index: number) => void): void {
    for (const [i, sink] of sinks.entries()) {
      try {
        call(sink, i)
      } catch (error) {
        this.#onError(error, sink)
      }
    }
  }
}

function warnOnce(): (error: unknown, sink: EventSink) => void {
  const told = new WeakSet<EventSink>()
  return (error, sink) => {
    if (told.has(sink)) return
    told.add(sink)
    tell(`micromegas: a sink failed: ${errorMessage(error)}`)
  }
}
