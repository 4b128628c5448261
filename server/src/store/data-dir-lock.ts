import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TelemetryError } from 'micromegas/wire'

/** `sun_path` holds 104 bytes on macOS, 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 100

/**
 * Holds a data directory for one server. A listening local socket is the lock: the kernel lets go of it however the
 * process ends, so nothing is left to clean up after a `kill -9`.
 *
 * @returns A function that lets go, or `undefined` where the file system knows no sockets.
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when another server holds the directory.
 */
export async function lockDataDir(dataDir: string): Promise<(() => Promise<void>) | undefined> {
  const address = lockAddress(dataDir)
  for (let attempt = 0; ; attempt++) {
    const server = createServer((socket) => socket.destroy())
    const failure = await listen(server, address)
    if (failure === undefined) {
      server.unref()
      return () => new Promise((resolve) => server.close(() => resolve()))
    }
    if (failure.code !== 'EADDRINUSE') return undefined
    if (attempt > 0 || (await answers(address))) {
      throw new TelemetryError(
        'ERR_TELEMETRY_CONFIG',
        `Cannot use ${dataDir}: another ingestion server is using it; choose another one with --data-dir (option dataDir)`,
      )
    }
    // Left behind by a server that was killed.
    await rm(address, { force: true })
  }
}

function lockAddress(dataDir: string): string {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 32)
  if (process.platform === 'win32') return `\\\\.\\pipe\\micromegas-${hash}`
  const inside = join(dataDir, 'server.sock')
  return Buffer.byteLength(inside) <= MAX_SOCKET_PATH_BYTES
    ? inside
    : join(tmpdir(), `micromegas-${hash}.sock`)
}

function listen(server: Server, address: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve)
    server.listen(address, () => resolve(undefined))
  })
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')
    })
  })
}
