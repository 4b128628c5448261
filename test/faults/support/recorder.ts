import type { DeliveryReport, TelemetryOptions, TelemetryStats } from '../../../src/index.ts'
import { Child, type ChildOptions } from './child.ts'

export interface RecorderOptions extends ChildOptions {
  readonly url: string
  readonly telemetry?: Partial<TelemetryOptions>
  /** Whether a span is recorded with each log and metric. */
  readonly spans?: boolean
  /** Characters that make each log longer. */
  readonly paddingChars?: number
}

export interface Memory {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
  readonly arrayBuffers: number
}

export interface RecorderState {
  /** Numbers recorded: 0 to one less. */
  readonly numbers: number
  readonly stats: TelemetryStats
  readonly memory: Memory
}

export interface RecorderEnd extends Omit<RecorderState, 'memory'> {
  readonly report: DeliveryReport
  /** Milliseconds that the shutdown took. */
  readonly tookMs: number
}

/** Flushes of part-filled blocks are this frequent unless a test says otherwise. */
const FLUSH_PERIOD_SECONDS = 0.2

/** A service in a process of its own that records numbered events as it is told. */
export class Recorder implements AsyncDisposable {
  readonly child: Child
  /** The UUID that the server knows it by. */
  readonly processId: string
  #lastId = 0

  private constructor(child: Child, processId: string) {
    this.child = child
    this.processId = processId
  }

  static async start({
    url,
    telemetry,
    spans = false,
    paddingChars = 0,
    ...options
  }: RecorderOptions): Promise<Recorder> {
    const scenario = {
      telemetry: {
        telemetryUrl: url,
        cpuTracing: spans,
        flushPeriodSeconds: FLUSH_PERIOD_SECONDS,
        ...telemetry,
      },
      events: { spans, padding: 'x'.repeat(paddingChars) },
    }
    const child = new Child('recorder.mjs', [scenario], {
      ...options,
      execArgv: ['--expose-gc', ...(options.execArgv ?? [])],
    })
    const { result } = await child.message<{ readonly result: string }>()
    return new Recorder(child, result)
  }

  /** Records so many numbers at once. */
  record(numbers: number): Promise<void> {
    return this.#call('record', numbers)
  }

  /** From now on records so many numbers a second; each is a log and a metric, that is two events. */
  startRecording(numbersPerSecond: number): Promise<void> {
    return this.#call('start', numbersPerSecond)
  }

  stopRecording(): Promise<void> {
    return this.#call('stop')
  }

  flush(timeoutMs = 30_000): Promise<DeliveryReport> {
    return this.#call('flush', timeoutMs)
  }

  state(): Promise<RecorderState> {
    return this.#call('state')
  }

  /** Sets the wall clock of the process; it must have been started with the preload `shift-clock.cjs`. */
  shiftClock(ms: number): Promise<void> {
    return this.#call('shiftClock', ms)
  }

  /** Shuts telemetry down and waits for the end of the process, which must be a clean one. */
  async shutdown(timeoutMs = 30_000): Promise<RecorderEnd> {
    const end = await this.#call<RecorderEnd>('shutdown', timeoutMs)
    const { code, signal, stderr } = await this.child.ended
    if (code !== 0) throw new Error(`the recorder ended with ${code ?? signal}: ${stderr}`)
    return end
  }

  async #call<T>(command: string, argument?: number): Promise<T> {
    const id = ++this.#lastId
    const answer = this.child.message<{ readonly id: number; readonly result: T }>((it) => it.id === id)
    this.child.process.send({ id, command, argument })
    return (await answer).result
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child[Symbol.asyncDispose]()
  }
}
