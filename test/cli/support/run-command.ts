import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

/** The compiled commands, as they are installed; `npm test` builds them first. */
const dist = fileURLToPath(new URL('../../../dist/', import.meta.url))
const BINS: Readonly<Record<string, string>> = {
  query_processes: 'query-processes',
  query_process_log: 'query-process-log',
  query_process_metrics: 'query-process-metrics',
  write_perfetto: 'write-perfetto',
  micromegas_logout: 'micromegas-logout',
}

/** A home directory of a person who has nothing of ours in it. */
export const home: string = mkdtempSync(join(tmpdir(), 'micromegas-cli-'))
mkdirSync(join(home, 'work'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Runs on a terminal of so many columns; standard output and error output are one, in `stdout`. */
  readonly columns?: number
  /** Sends the standard output there, as `>` does. */
  readonly stdoutFile?: string
  /** Presses Ctrl-C once this was printed. */
  readonly interruptAfter?: string
  /** Stops reading after so many characters, as `head` does. */
  readonly closeAfter?: number
}

/** The interpreter and the arguments of a command line such as `['micromegas', 'processes']`. */
export function commandLine([name, ...args]: readonly string[]): [string, ...string[]] {
  return [process.execPath, join(dist, `${BINS[name!] ?? name}.js`), ...args]
}

export function environment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env.PATH!, HOME: home, TERM: 'xterm-256color', TZ: 'UTC', LANG: 'C.UTF-8', ...env }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Runs a command and waits for its end. */
export async function runCommand(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const direct = commandLine(words)
  const shell = `stty cols ${options.columns} rows 50 -onlcr; exec ${direct.map(quoted).join(' ')}`
  const [command, ...args] =
    options.columns === undefined
      ? direct
      : ['script', '--quiet', '--return', '--command', shell, '/dev/null']
  const child = spawn(command, args, {
    cwd: join(home, 'work'),
    env: environment({ SHELL: '/bin/sh', ...options.env }),
    stdio: ['pipe', options.stdoutFile === undefined ? 'pipe' : openSync(options.stdoutFile, 'w'), 'pipe'],
  }) as ChildProcessWithoutNullStreams
  child.stdin.on('error', () => {}) // a command that needs no input ends before it is written
  // A terminal's input does not end: an end would be typed into it, and shown.
  if (options.columns === undefined) child.stdin.end(options.input ?? '')
  let awaited = options.interruptAfter
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk
      if (awaited !== undefined && texts.stdout.includes(awaited)) {
        awaited = undefined
        child.kill('SIGINT')
      }
      if (options.closeAfter !== undefined && texts.stdout.length >= options.closeAfter)
        child.stdout.destroy()
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  child.stdin.destroy()
  return { ...texts, code }
}

/** What acts on a terminal, line feeds aside. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
export const CONTROL: RegExp = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/

/** A run as a person would see it; a control character is shown as its picture, such as ␛. */
export function transcript(words: readonly string[], outcome: Outcome): string {
  const line = words.map((word) => (/^[\w./:=,-]+$/.test(word) ? word : quoted(word))).join(' ')
  const errors = outcome.stderr === '' ? '' : `[stderr]\n${outcome.stderr}`
  const code = outcome.code === 0 ? '' : `[exit ${outcome.code}]\n`
  return `$ ${line}\n${outcome.stdout}${errors}${code}`
    .replaceAll(home, '~')
    .replaceAll(/\p{Cc}/gu, (control) => (control === '\n' ? control : picture(control)))
}

function picture(control: string): string {
  const code = control.charCodeAt(0)
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : `\\x${code.toString(16)}`
}
