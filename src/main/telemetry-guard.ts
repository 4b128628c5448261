import { timeoutSignal, toTimerMs } from '../model/durations.ts'
import { TelemetryError } from '../model/errors.ts'
import type { DeliveryReport } from '../model/event-sink.ts'
import type { HttpEventSink } from '../sink/http-event-sink.ts'
import type { SinkStats } from '../sink/sink-stats.ts'
import type { Dispatch, RecordingStats } from '../tracing/dispatch.ts'
import { ExitBudget } from './exit-budget.ts'

/** What has become of the events of this process so far. */
export interface TelemetryStats {
  /** Events by stream: recorded, dropped before or after telemetry ran, left out as invalid. */
  readonly recording: RecordingStats
  /** What the upload did with its blocks; undefined without an upload. */
  readonly upload: SinkStats | undefined
}

interface GuardInit {
  readonly dispatch: Dispatch
  readonly processId: string
  readonly httpSink: HttpEventSink | undefined
  readonly shutdownTimeoutMs: number
  /** Undoes what the start did besides starting the dispatch; runs before the last blocks are sealed. */
  readonly onShutdown: () => void
  /** Runs when everything is closed. */
  readonly onStopped: () => void
}

/** Running telemetry, from `initTelemetry` to {@link shutdown}. */
export class TelemetryGuard implements AsyncDisposable {
  /** The UUID that the server knows this process by. */
  readonly processId: string
  readonly shutdownTimeoutMs: number
  /**
   * What is left of the shutdown timeout while the process ends.
   *
   * @internal
   */
  readonly exitBudget: ExitBudget
  readonly #dispatch: Dispatch
  readonly #httpSink: HttpEventSink | undefined
  readonly #onShutdown: () => void
  readonly #onStopped: () => void
  #stopped: Promise<DeliveryReport> | undefined

  /** @internal */
  constructor(init: GuardInit) {
    this.processId = init.processId
    this.shutdownTimeoutMs = init.shutdownTimeoutMs
    this.exitBudget = new ExitBudget(init.shutdownTimeoutMs)
    this.#dispatch = init.dispatch
    this.#httpSink = init.httpSink
    this.#onShutdown = init.onShutdown
    this.#onStopped = init.onStopped
  }

  /**
   * Sends what is recorded when it is called and waits for the answers; events recorded later are not included.
   *
   * @param options.signal - Ends the waiting; what is not sent then stays queued and counts as pending.
   * @defaultValue one that is aborted after the shutdown timeout
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CLOSED` after {@link shutdown}. A failed delivery is reported, not
   * thrown.
   */
  async flush(options?: { readonly signal?: AbortSignal | undefined }): Promise<DeliveryReport> {
    if (this.#stopped !== undefined) {
      throw new TelemetryError('ERR_TELEMETRY_CLOSED', 'Cannot flush telemetry: it has been shut down')
    }
    return this.#dispatch.flush({ signal: options?.signal ?? timeoutSignal(this.shutdownTimeoutMs) })
  }

  /**
   * Stops recording, sends what is left and closes every connection, within the time given. Every call returns the same
   * promise; it never rejects. Telemetry can be started again afterwards.
   *
   * @param options.timeoutMs - Milliseconds; `Infinity` is the longest time a timer takes, 24.8 days.
   * @defaultValue the configured shutdown timeout
   */
  shutdown(options?: { readonly timeoutMs?: number | undefined }): Promise<DeliveryReport> {
    this.#stopped ??= this.#stop(toTimerMs(options?.timeoutMs, this.shutdownTimeoutMs))
    return this.#stopped
  }

  /**
   * The same for code that cannot wait, such as an `exit` handler: blocks until what is left is sent, in at most the
   * time given. A {@link shutdown} that is under way is brought to its end.
   */
  shutdownSync(options?: { readonly timeoutMs?: number | undefined }): void {
    if (this.#stopped === undefined) this.#onShutdown()
    this.#dispatch.shutdownSync(toTimerMs(options?.timeoutMs, this.shutdownTimeoutMs))
  }

  /**
   * Gives up what is not delivered: the process ends without waiting for telemetry once more.
   *
   * @internal
   */
  abandon(): void {
    this.#onStopped()
  }

  get stats(): TelemetryStats {
    return { recording: this.#dispatch.stats, upload: this.#httpSink?.stats() }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown().then(() => undefined)
  }

  async #stop(timeoutMs: number): Promise<DeliveryReport> {
    this.#onShutdown()
    const report = await this.#dispatch.shutdown(timeoutMs)
    this.#onStopped()
    return report
  }
}
