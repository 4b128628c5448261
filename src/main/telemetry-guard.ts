import { waitUntil } from '../http/wait-until.ts'
import { TelemetryError } from '../model/errors.ts'
import type { DeliveryReport } from '../model/event-sink.ts'
import { platformClock } from '../model/runtime/clock.ts'
import { timeoutSignal, toTimerMs } from '../model/text/durations.ts'
import type { HttpEventSink } from '../sink/http-event-sink.ts'
import type { SinkStats } from '../sink/sink-stats.ts'
import type { Dispatch, RecordingStats } from '../tracing/dispatch.ts'
import { ExitBudget } from './ends/exit-budget.ts'

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
  /** Records what telemetry itself has to say at an end, before the last blocks are sealed. */
  readonly recordLast: () => void
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
  readonly #init: GuardInit
  #stopped: Promise<DeliveryReport> | undefined
  /** Events recorded when the last ones were, of {@link GuardInit.recordLast}. */
  #recordedAtLast: number | undefined

  /** @internal */
  constructor(init: GuardInit) {
    this.processId = init.processId
    this.shutdownTimeoutMs = init.shutdownTimeoutMs
    this.exitBudget = new ExitBudget(init.shutdownTimeoutMs)
    this.#init = init
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
    return this.#init.dispatch.flush({ signal: options?.signal ?? timeoutSignal(this.shutdownTimeoutMs) })
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
    const { dispatch, onShutdown, onStopped } = this.#init
    if (this.#stopped === undefined) {
      this.#recordLast()
      onShutdown()
    }
    dispatch.shutdownSync(toTimerMs(options?.timeoutMs, this.shutdownTimeoutMs))
    this.#stopped ??= dispatch.shutdown(0).finally(onStopped)
  }

  /** What has become of the events so far. */
  get stats(): TelemetryStats {
    const { dispatch, httpSink } = this.#init
    return { recording: dispatch.stats, upload: httpSink?.stats() }
  }

  /**
   * Whether there is anything that an end of the process would lose.
   *
   * @internal
   */
  get hasNews(): boolean {
    const { dispatch } = this.#init
    return (
      this.#stopped === undefined && dispatch.takesBlocks && this.#countRecorded() !== this.#recordedAtLast
    )
  }

  /**
   * Sends what is there, whatever the server has asked for, and waits for the answers. Never rejects.
   *
   * @internal
   */
  async deliver(timeoutMs: number): Promise<void> {
    const signal = timeoutSignal(timeoutMs)
    const delivered = this.#stopped ?? this.#init.dispatch.flush({ signal, final: true })
    await waitUntil(platformClock, delivered, timeoutMs, undefined)
  }

  /**
   * The same for a process that is about to end, with the last events of telemetry itself. Recording goes on.
   *
   * @internal
   */
  drain(timeoutMs: number): Promise<void> {
    if (this.#stopped === undefined) this.#recordLast()
    return this.deliver(timeoutMs)
  }

  /**
   * {@link drain} for the `exit` event, where no promise runs any more.
   *
   * @internal
   */
  drainSync(timeoutMs: number): void {
    if (this.#stopped !== undefined) return
    this.#recordLast()
    this.#init.dispatch.flushSync(timeoutMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown().then(() => undefined)
  }

  async #stop(timeoutMs: number): Promise<DeliveryReport> {
    const { dispatch, onShutdown, onStopped } = this.#init
    this.#recordLast()
    onShutdown()
    const report = await dispatch.shutdown(timeoutMs)
    onStopped()
    return report
  }

  /** Nothing new since: then there is nothing to add, and nothing more to send. */
  #recordLast(): void {
    if (!this.hasNews) return
    this.#init.recordLast()
    this.#recordedAtLast = this.#countRecorded()
  }

  #countRecorded(): number {
    return Object.values(this.#init.dispatch.stats).reduce((sum, stream) => sum + stream.recorded, 0)
  }
}
