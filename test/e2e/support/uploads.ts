import {
  HttpEventSink,
  type HttpEventSinkOptions,
  initTelemetry,
  type RequestDecorator,
  type TelemetryGuard,
} from '../../../src/index.ts'

/** Waits short enough for a test, where an operator would wait for seconds. */
const QUICK: HttpEventSinkOptions = {
  metadataRetry: { baseDelayMs: 5, maxDelayMs: 100 },
  blocksRetry: { baseDelayMs: 5, maxDelayMs: 100 },
  unauthorizedRetry: { baseDelayMs: 20, maxDelayMs: 40 },
}

/** Telemetry of this process that is uploaded with the given credentials and shown nowhere else. */
export class Uploads implements AsyncDisposable {
  readonly sink: HttpEventSink
  readonly telemetry: TelemetryGuard

  constructor(url: string, decorator: RequestDecorator, options: HttpEventSinkOptions = {}) {
    this.sink = new HttpEventSink(url, { ...QUICK, ...options }, () => decorator)
    this.telemetry = initTelemetry({
      sinks: [{ sink: this.sink }],
      localSinkEnabled: false,
      systemMetrics: false,
    })
  }

  /** Hands what was recorded to the sink, and waits for its delivery no longer than it takes to say so. */
  async seal(): Promise<void> {
    await this.telemetry.flush({ signal: AbortSignal.abort() })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.telemetry.shutdown({ timeoutMs: 2_000 })
  }
}
