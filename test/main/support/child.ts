import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A child process that runs one of the fixtures, which use the built package as a service does. */
export class Child {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  readonly #waiting: { text: string; resolve: () => void }[] = []

  /** @param through - A command that runs the command given as its last arguments. */
  constructor(
    fixture: string,
    env: Record<string, string>,
    args: readonly string[] = [],
    through: readonly string[] = [],
  ) {
    const [command, ...rest] = [...through, process.execPath, FIXTURES + fixture, ...args]
    this.process = spawn(command!, rest, {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => this.#add(text))
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code, signal) =>
        resolve({
          code,
          signal,
          stdout: this.#stdout,
          stderr: this.#stderr,
        }),
      )
    })
  }

  /** Resolves once the child has printed the text. */
  async printed(text: string): Promise<void> {
    if (this.#stdout.includes(text)) return
    await new Promise<void>((resolve) => this.#waiting.push({ text, resolve }))
  }

  #add(text: string): void {
    this.#stdout += text
    for (const waiting of this.#waiting) if (this.#stdout.includes(waiting.text)) waiting.resolve()
  }
}
