import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { MicromegasServer } from '../../../server/src/index.ts'

/** A service under `micromegas/register`. */
export interface Service {
  readonly url: string
  readonly stderr: () => string
  end(): Promise<number | null>
}

export interface Start {
  readonly folder: string
  /** The main script, and its arguments. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>> | undefined
  /** The port that it was told to listen on; one that was not prints `listening on` and its port. */
  readonly port?: number | undefined
}

/** Requests of a load, by what answers them. */
export const LOAD = { users: 700, failures: 200, unknown: 100 }
const AT_ONCE = 20

export async function startService(server: MicromegasServer, start: Start): Promise<Service> {
  const { folder, args, env, port } = start
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    process.execPath,
    ['--import', 'micromegas/register', ...args],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, MICROMEGAS_TELEMETRY_URL: server.url, ...env },
    },
  )
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const listening = new Promise<number>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const found = /^listening on (\d+)$/.exec(line)
      if (found !== null) resolve(Number(found[1]))
    })
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`ended with ${code}: ${stderr}`)
  })
  const ownPort = await Promise.race([port === undefined ? listening : waitForPort(port), ended])
  return {
    url: `http://127.0.0.1:${ownPort}`,
    stderr: () => stderr,
    async end() {
      ended.catch(() => {})
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      return code
    },
  }
}

async function waitForPort(port: number): Promise<number> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return port
    } catch {
      await delay(50) // nobody listens yet
    } finally {
      socket.destroy()
    }
  }
}

/** Sends {@link LOAD}; returns how many answers had which status. */
export async function load(url: string): Promise<Record<number, number>> {
  const paths = [
    ...Array.from({ length: LOAD.users }, (_, i) => `/users/${i}`),
    ...Array.from({ length: LOAD.failures }, () => '/pay'),
    ...Array.from({ length: LOAD.unknown }, (_, i) => `/nothing/${i}`),
  ]
  const statuses: Record<number, number> = {}
  const work = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      const response = await fetch(url + path)
      await response.arrayBuffer()
      statuses[response.status] = (statuses[response.status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return statuses
}
