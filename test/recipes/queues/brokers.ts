import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../../support/free-port.ts'

const run = promisify(execFile)

/** A message broker of its own for a test. */
export interface Broker extends AsyncDisposable {
  readonly port: number
}

/**
 * Installs a Debian package where there is none of its commands, as root or by `sudo`.
 *
 * @returns Whether the command is there.
 */
function provide(command: string, aptPackage: string): boolean {
  if (isThere(command)) return true
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const apt = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq']
  for (const step of [['update'], ['install', '--no-install-recommends', aptPackage]]) {
    const [program, ...args] = [...apt, ...step]
    if (spawnSync(program!, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0) return false
  }
  return isThere(command)
}

function isThere(command: string): boolean {
  return spawnSync('which', [command], { stdio: 'ignore' }).status === 0
}

/** `undefined` where Redis is not there and cannot be had. */
export async function startRedis(): Promise<Broker | undefined> {
  if (!provide('redis-server', 'redis-server')) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'recipes-redis-'))
  const port = await freePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  const child = spawn('redis-server', settings, { stdio: 'ignore' })
  await until(() => run('redis-cli', ['-p', String(port), 'ping']))
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The same of RabbitMQ. */
export async function startRabbit(): Promise<Broker | undefined> {
  if (!provide('rabbitmq-server', 'rabbitmq-server')) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'recipes-rabbit-'))
  const [port, distribution, epmd] = [await freePort(), await freePort(), await freePort()]
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    RABBITMQ_NODENAME: `recipes-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    ERL_EPMD_PORT: String(epmd),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
  }
  // Not the wrapper in /usr/sbin: it changes to a user who may not write here.
  const commands = '/usr/lib/rabbitmq/bin'
  const child = spawn(join(commands, 'rabbitmq-server'), { env, stdio: 'ignore' })
  await until(() => run(join(commands, 'rabbitmqctl'), ['await_startup'], { env }))
  return {
    port,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      await run(join(commands, 'rabbitmqctl'), ['stop'], { env })
      await exited
      await run('epmd', ['-port', String(epmd), '-kill'], { env }).catch(ignoreGone)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** epmd may have ended with the broker. */
function ignoreGone(): void {}

async function until(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = 300; ; left--) {
    try {
      await attempt()
      return
    } catch (error) {
      if (left === 0) throw error
      await sleep(100)
    }
  }
}
