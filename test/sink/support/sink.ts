import type { RequestDecoratorFactory } from '../../../src/auth/request-decorator.ts'
import type { SealedBlock, StreamInfo, StreamKind } from '../../../src/model/event-sink.ts'
import type { ProcessInfo } from '../../../src/model/process-info.ts'
import {
  HttpEventSink,
  type HttpEventSinkOptions,
  type SinkPlatform,
} from '../../../src/sink/http-event-sink.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { testBlock, testProcess, testStream } from './blocks.ts'

const SHUTDOWN_MS = 100

/** An HTTP sink with a process and one stream of each kind, and what it told the operator. */
export class SinkUnderTest implements AsyncDisposable {
  readonly sink: HttpEventSink
  readonly process: ProcessInfo = testProcess()
  readonly warnings: string[] = []
  readonly #clock: ManualClock | undefined
  readonly #streams: Map<StreamKind, StreamInfo> = new Map()

  constructor(
    url: string | URL,
    options: HttpEventSinkOptions = {},
    factory?: RequestDecoratorFactory,
    platform: SinkPlatform = {},
  ) {
    const warn = (line: string): number => this.warnings.push(line)
    this.sink = new HttpEventSink(url, { warn, ...options }, factory, platform)
    this.#clock = platform.clock instanceof ManualClock ? platform.clock : undefined
    this.sink.onStartup(this.process)
  }

  stream(kind: StreamKind = 'log'): StreamInfo {
    const stream = this.#streams.get(kind) ?? testStream(this.process, kind)
    this.#streams.set(kind, stream)
    return stream
  }

  /** Queues a block and returns it. */
  push(kind: StreamKind = 'log', eventCount = 1, bytes?: number): SealedBlock {
    const block = testBlock(this.stream(kind), eventCount, bytes)
    this.sink.onBlock(block)
    return block
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.sink.shutdown({ timeoutMs: SHUTDOWN_MS })
    await (this.#clock?.settle(ended, SHUTDOWN_MS) ?? ended)
  }
}

/** Waits of a few milliseconds, so that tests of retries are quick. */
export const QUICK: HttpEventSinkOptions = {
  metadataRetry: { baseDelayMs: 1, maxDelayMs: 5 },
  blocksRetry: { baseDelayMs: 1, maxDelayMs: 5 },
  unauthorizedRetry: { baseDelayMs: 5, maxDelayMs: 10 },
}
