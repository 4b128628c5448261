import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { program } from '../../../test/support/program.ts'

export interface Child extends AsyncDisposable {
  readonly process: ChildProcessWithoutNullStreams
  /** Everything written so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Waits until the pattern is in the standard output (or the child's error output) and returns its match. */
  waitFor(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<RegExpExecArray>
  /** Waits for the end. */
  exit(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/** Runs a file of this repository, given from its root, in a process of its own. */
export function runFile(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Child {
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const child = spawn(process.execPath, [file.endsWith('.ts') ? program(join(root, file)) : file, ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  })
  const texts = { stdout: '', stderr: '' }
  child.stdout.on('data', (data) => {
    texts.stdout += data
  })
  child.stderr.on('data', (data) => {
    texts.stderr += data
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  return {
    process: child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    waitFor(pattern, stream = 'stdout') {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(texts[stream])
          if (match !== null) resolve(match)
        }
        child[stream].on('data', look)
        void ended.then(() => {
          look()
          reject(new Error(`ended without ${pattern}: ${texts.stdout}${texts.stderr}`))
        })
        look()
      })
    },
    exit: () => ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
