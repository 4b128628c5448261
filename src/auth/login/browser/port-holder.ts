import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const COMMAND_TIMEOUT_MS = 3_000
/** State *listen* of /proc/net/tcp. */
const LISTEN = '0A'

/**
 * Who listens on a port of this machine, such as `process 4711 (node)`; `undefined` where that cannot be told, as for the
 * processes of other users.
 */
export async function portHolder(port: number): Promise<string | undefined> {
  try {
    const pid = process.platform === 'linux' ? await linuxHolder(port) : await lsofHolder(port)
    if (pid === undefined) return undefined
    const name = await processName(pid)
    return name === undefined ? `process ${pid}` : `process ${pid} (${name})`
  } catch {
    return undefined // it only improves a message
  }
}

async function linuxHolder(port: number): Promise<number | undefined> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  )
  const inodes = new Set(
    tables
      .flatMap((table) => table.split('\n'))
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => cells[1]?.endsWith(`:${hex}`) && cells[3] === LISTEN)
      .map((cells) => `socket:[${cells[9]}]`),
  )
  if (inodes.size === 0) return undefined
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const descriptors = await readdir(`/proc/${name}/fd`).catch(() => [])
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${name}/fd/${descriptor}`).catch(() => '')
      if (inodes.has(target)) return Number(name)
    }
  }
  return undefined
}

async function lsofHolder(port: number): Promise<number | undefined> {
  if (process.platform === 'win32') {
    const { stdout } = await run('netstat', ['-ano', '-p', 'TCP'], { timeout: COMMAND_TIMEOUT_MS })
    const line = stdout.split('\n').find((text) => text.includes(`:${port} `) && text.includes('LISTENING'))
    return line === undefined ? undefined : Number(line.trim().split(/\s+/).at(-1))
  }
  const { stdout } = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t'], {
    timeout: COMMAND_TIMEOUT_MS,
  })
  return Number.parseInt(stdout, 10) || undefined
}

async function processName(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux')
    return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() || undefined
  if (process.platform === 'win32') return undefined
  const { stdout } = await run('ps', ['-o', 'comm=', '-p', String(pid)], { timeout: COMMAND_TIMEOUT_MS })
  return stdout.trim() || undefined
}
