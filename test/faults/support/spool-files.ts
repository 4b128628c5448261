import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory that goes when the test does. */
export class TemporaryDirectory implements Disposable {
  readonly path: string

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'micromegas-spool-'))
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** A file system of its own with room for so many bytes. Needs root, or sudo that asks nothing. */
export class SmallFileSystem implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'micromegas-small-'))

  constructor(bytes: number) {
    asRoot('mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=777`, 'tmpfs', this.path)
  }

  [Symbol.dispose](): void {
    asRoot('umount', this.path)
    rmSync(this.path, { recursive: true })
  }
}

/** Paths of the blocks in a spool directory, oldest first. */
export function spooledFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.block'))
    .map((name) => join(directory, name))
    .sort()
}

function asRoot(command: string, ...args: string[]): void {
  if (process.getuid?.() === 0) execFileSync(command, args)
  else execFileSync('sudo', ['-n', command, ...args])
}
