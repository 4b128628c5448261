import { type ChildProcess, type Serializable, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Milliseconds from the start to the end. */
  readonly elapsedMs: number
}

export interface ChildOptions {
  /** Options of Node itself. */
  readonly execArgv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A process that runs one of the fixtures, which use the built package as a service does, with nothing inherited. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''

  constructor(
    fixture: string,
    args: readonly Serializable[],
    { execArgv = [], env = {} }: ChildOptions = {},
  ) {
    const startMs = performance.now()
    const argv = args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg)))
    this.process = spawn(process.execPath, [...execArgv, FIXTURES + fixture, ...argv], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.ended = once(this.process, 'close').then(([code, signal]) => ({
      code,
      signal,
      stdout: this.#stdout,
      stderr: this.#stderr,
      elapsedMs: performance.now() - startMs,
    }))
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The next message over the IPC channel. @throws When the process ends without one. */
  async message<T>(wanted: (message: T) => boolean = () => true): Promise<T> {
    const { promise, resolve, reject } = withResolvers<T>()
    const onMessage = (message: T): void => {
      if (wanted(message)) resolve(message)
    }
    this.process.on('message', onMessage)
    void this.ended.then(({ code, signal, stderr }) =>
      reject(new Error(`the process ended (${code ?? signal}) without the message: ${stderr}`)),
    )
    try {
      return await promise
    } finally {
      this.process.off('message', onMessage)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL')
    await this.ended
  }
}

function withResolvers<T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
} {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
