import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** An example in a folder of its own, with what it depends on installed from the registry, and this package packed. */
export class Project implements Disposable {
  readonly folder: string
  readonly #children = new Set<ChildProcess>()

  private constructor(folder: string) {
    this.folder = folder
  }

  static async install(name: string, source: string = `examples/frameworks/${name}`): Promise<Project> {
    const folder = mkdtempSync(join(tmpdir(), `micromegas-${name}-`))
    const project = new Project(folder)
    cpSync(join(root, source), folder, { recursive: true })
    const file = join(folder, 'package.json')
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as { dependencies: Record<string, string> }
    manifest.dependencies.micromegas = `file:${process.env.RECIPES_TARBALL}`
    writeFileSync(file, JSON.stringify(manifest))
    const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
    await promisify(execFile)('npm', args, { cwd: folder })
    return project
  }

  /** Starts a command in the project, with no more environment than it is given. */
  start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    const child = spawn(command, args, {
      cwd: this.folder,
      env: {
        PATH: `${join(this.folder, 'node_modules/.bin')}:${process.env.PATH}`,
        HOME: this.folder,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    return new Running(child)
  }

  node(args: readonly string[], env?: NodeJS.ProcessEnv): Running {
    return this.start(process.execPath, args, env)
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

/** A process of a project, and what it prints. */
export class Running {
  readonly child: ChildProcess
  /** Resolves once the process has ended and all of its output is there. */
  readonly ended: Promise<Ended>
  output = ''

  constructor(child: ChildProcess) {
    this.child = child
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal, output: this.output }))
    })
  }

  /** Waits for a line, and gives what the pattern found in it. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const lines = new Promise<RegExpExecArray>((resolve) => {
      const look = (): void => {
        const found = pattern.exec(this.output)
        if (found !== null) resolve(found)
      }
      for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on('data', look)
      look()
    })
    const early = this.ended.then(({ output }) => {
      const found = pattern.exec(output)
      if (found === null) throw new Error(`the process ended without printing ${pattern}:\n${output}`)
      return found
    })
    return Promise.race([lines, early])
  }
}
