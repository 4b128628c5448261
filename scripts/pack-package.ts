import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface PackedPackage {
  /** Path of the tarball. */
  readonly path: string
  /** Bytes of the tarball, and of the files in it. */
  readonly size: number
  readonly unpackedSize: number
}

/**
 * Packs a package as it would be published, out of the build that is there: without the script that would build once more.
 *
 * @param into - The folder of the tarball.
 * @param directory - Of the package: this one, or the server.
 */
export function packPackage(into: string, directory: string = root): PackedPackage {
  const args = ['pack', '--ignore-scripts', '--json', '--loglevel=error', '--pack-destination', into]
  const output = execFileSync('npm', args, {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  })
  const [packed] = JSON.parse(output) as [{ filename: string; size: number; unpackedSize: number }]
  return { path: join(into, packed.filename), size: packed.size, unpackedSize: packed.unpackedSize }
}
