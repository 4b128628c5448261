import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { formatRecording, parseRecording, type RecordedRequest } from './recording.ts'

const run = promisify(execFile)
const MANIFEST = fileURLToPath(new URL('./rust/Cargo.toml', import.meta.url))
const MAX_OUTPUT_BYTES = 512 * 1024 * 1024

/** Builds the Rust program; the first build fetches and compiles the crates. Needs `cargo` and a C compiler. */
export async function buildRust(): Promise<void> {
  await cargo('build')
}

/** What the crates read in the requests, as JSON lines; what they cannot read gives `error` lines. */
export async function decodeWithRust(requests: readonly RecordedRequest[]): Promise<string> {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'requests.jsonl')
  await writeFile(path, formatRecording(requests))
  return await runRust('decode', path)
}

/** What the Rust SDK posts for its fixed script, and nothing of another run. */
export async function encodeWithRust(): Promise<RecordedRequest[]> {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'requests.jsonl')
  await runRust('encode', path)
  return parseRecording(await readFile(path, 'utf8'))
}

async function runRust(mode: 'decode' | 'encode', path: string): Promise<string> {
  try {
    return await cargo('run', '--', mode, path)
  } catch (error) {
    // 1: some requests could not be read, which the output says.
    const { code, stdout } = error as { code?: unknown; stdout?: string }
    if (mode === 'decode' && code === 1 && stdout) return stdout
    throw error
  }
}

async function cargo(command: string, ...args: string[]): Promise<string> {
  const flags = ['--quiet', '--locked', '--manifest-path', MANIFEST]
  const { stdout } = await run('cargo', [command, ...flags, ...args], { maxBuffer: MAX_OUTPUT_BYTES })
  return stdout
}

async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'micromegas-conformance-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
