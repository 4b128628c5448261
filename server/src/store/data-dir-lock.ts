import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, realpath, rename, rm, symlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TelemetryError } from 'micromegas/wire'

/*
 * Of the servers that start on one directory, one gets it, whatever the spelling of its path and however many start at
 * once. A listening local socket stands for a server: the kernel lets go of it however the process ends. Each server makes
 * one under a name of its own first and looks at all others then, so that of two the later one sees the earlier one. Who
 * connects is told in one letter what the other server is at:
 *
 * - it holds the directory: this one gives up;
 * - it is starting too: the one whose name sorts first waits for what becomes of the other, which gives up for it;
 * - nobody listens: a server that was killed left the socket behind. Names are never used again, so it can be deleted.
 */

/** Folder of the sockets within the data directory. */
export const LOCK_FOLDER = 'lock'

/** `sun_path` holds 104 bytes on macOS, 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 100
/** A server that accepts and says nothing for so long is busy or stopped, and may go on. */
const ANSWER_TIMEOUT_MS = 2_000
const RETRY_MS = 20

/** `unclear`: it is ending, so that asking again will tell. */
type State = 'starting' | 'holding' | 'gone' | 'unclear'

/**
 * Holds a data directory for one server.
 *
 * @returns A function that lets go, or `undefined` where the file system knows no sockets.
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when another server holds the directory.
 */
export async function lockDataDir(dataDir: string): Promise<(() => Promise<void>) | undefined> {
  return process.platform === 'win32' ? lockByPipe(dataDir) : lockBySocket(dataDir)
}

/** A pipe is gone with its process: there is nothing left behind that could be taken for a server. */
async function lockByPipe(dataDir: string): Promise<(() => Promise<void>) | undefined> {
  const hash = createHash('sha256')
    .update(await realpath(dataDir))
    .digest('hex')
    .slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  const failure = await listen(server, `\\\\.\\pipe\\micromegas-${hash}`)
  if (failure === undefined) return () => close(server)
  if (failure.code === 'EADDRINUSE') throw inUse(dataDir)
  return undefined
}

async function lockBySocket(dataDir: string): Promise<(() => Promise<void>) | undefined> {
  const folder = join(dataDir, LOCK_FOLDER)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const short = await shortPath(folder)
  if (short === undefined) return undefined
  const id = randomBytes(8).toString('hex')
  const [made, name] = [`${id}.new`, `${id}.sock`]
  let state: 'starting' | 'holding' = 'starting'
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end(state.slice(0, 1))
  })
  try {
    if ((await listen(server, join(short.path, made))) !== undefined) return undefined
    // A socket that is made but does not listen yet would be taken for one left behind.
    await rename(join(folder, made), join(folder, name))
    const release = async (): Promise<void> => {
      await close(server)
      await rm(join(folder, name), { force: true })
    }
    try {
      await outlast(folder, short.path, name, dataDir)
    } catch (error) {
      await release()
      throw error
    }
    state = 'holding'
    return release
  } finally {
    await short.remove()
  }
}

/** Returns once no other server can get the directory any more. */
async function outlast(folder: string, path: string, own: string, dataDir: string): Promise<void> {
  for (;;) {
    let isClear = true
    for (const other of await readdir(folder)) {
      if (other === own || !other.endsWith('.sock')) continue
      const state = await ask(join(path, other))
      if (state === 'gone') await rm(join(folder, other), { force: true })
      else if (state === 'holding' || (state === 'starting' && own > other)) throw inUse(dataDir)
      else isClear = false
    }
    if (isClear) return
    await sleep(RETRY_MS)
  }
}

function ask(address: string): Promise<State> {
  return new Promise((resolve) => {
    const socket = connect(address)
    const settle = (state: State): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(state)
    }
    const timer = setTimeout(() => settle('holding'), ANSWER_TIMEOUT_MS)
    socket.once('data', (data) => settle(data.toString() === 's' ? 'starting' : 'holding'))
    socket.once('end', () => settle('unclear'))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') settle('gone')
      // One that cannot be asked, for want of permission say, is somebody's.
      else settle(code === 'ECONNRESET' || code === 'EPIPE' ? 'unclear' : 'holding')
    })
  })
}

/** A way to the folder that is short enough for sockets in it, to be removed when it has been used. */
async function shortPath(
  folder: string,
): Promise<{ readonly path: string; readonly remove: () => Promise<void> } | undefined> {
  const nameBytes = 24
  const fits = (path: string): boolean => Buffer.byteLength(path) + nameBytes <= MAX_SOCKET_PATH_BYTES
  if (fits(folder)) return { path: folder, remove: async () => undefined }
  const link = join(tmpdir(), `mm-${randomBytes(6).toString('hex')}`)
  if (!fits(link)) return undefined
  try {
    await symlink(folder, link)
    return { path: link, remove: () => rm(link, { force: true }) }
  } catch {
    return undefined
  }
}

function listen(server: Server, address: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve)
    server.listen(address, () => {
      server.unref()
      resolve(undefined)
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function inUse(dataDir: string): TelemetryError {
  return new TelemetryError(
    'ERR_TELEMETRY_CONFIG',
    `Cannot use ${dataDir}: another server is using it; choose another one with --data-dir (option dataDir)`,
  )
}
