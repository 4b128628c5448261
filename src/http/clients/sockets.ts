import type { ClientRequestArgs, Agent as HttpAgent } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../model/runtime/clock.ts'

/** The one socket that is being opened for a request. */
export interface Opening {
  socket?: Socket | undefined
}

/** Options of a request whose socket a {@link SocketPool} opens. */
export interface PooledRequestArgs extends ClientRequestArgs {
  readonly opening: Opening
}

/** Told of the outcome of opening a socket, once. */
export type Opened = (error: Error | null, socket?: Socket) => void

/** Opens a socket: whoever asks gets each one that it takes, from the beginning, and is told once requests can be sent. */
export type OpenSocket = (
  options: ClientRequestArgs,
  onSocket: (socket: Socket) => void,
  opened: Opened,
) => void

/**
 * Sockets idle for this long are closed: servers and balancers close idle ones after 5 s and more, and a request that
 * crosses such a close is lost. The reference sink's value.
 */
export const IDLE_MS = 2_000
/** A socket used for longer is not kept, so that uploads follow a balancer's changes. */
export const MAX_SOCKET_AGE_MS = 60_000

export interface SocketPoolOptions {
  /** Whether TLS is spoken to whoever is connected to. */
  readonly secure: boolean
  /** Whether a socket keeps the process alive. */
  readonly holds: boolean
  readonly clock: Clock
  /** How sockets are opened; without it, by Node's agent. */
  readonly open: OpenSocket | undefined
}

/** The keep-alive sockets of one client, the last used first. */
export class SocketPool {
  readonly agent: HttpAgent
  readonly #clock: Clock
  readonly #holds: boolean
  readonly #openedAtMs: Map<Socket, number> = new Map()

  constructor({ secure, holds, clock, open }: SocketPoolOptions) {
    this.#clock = clock
    this.#holds = holds
    const { Agent } = process.getBuiltinModule(secure ? 'node:https' : 'node:http')
    this.agent = new Agent({ keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' })
    this.#watch(open ?? openBy(this.agent, secure))
  }

  /** Destroys all sockets; resolves once they are closed. The pool can be used again. */
  async close(): Promise<void> {
    const closed = [...this.#openedAtMs.keys()].map((socket) => {
      const closing = new Promise<void>((resolve) => socket.once('close', resolve))
      socket.destroy()
      return closing
    })
    await Promise.all(closed)
  }

  /** Makes every socket known from the moment it is made, and has requests wait until it is connected. */
  #watch(open: OpenSocket): void {
    const { agent } = this
    agent.createConnection = (options, callback) => {
      const { opening } = options as PooledRequestArgs
      const onSocket = (socket: Socket): void => {
        opening.socket = socket
        this.#adopt(socket)
      }
      open(options, onSocket, (error, socket) => {
        opening.socket = undefined
        callback?.(error, socket as Socket)
      })
      return undefined
    }
    const keepSocketAlive = agent.keepSocketAlive
    agent.keepSocketAlive = (socket) => this.#isFresh(socket as Socket) && keepSocketAlive.call(agent, socket)
  }

  #adopt(socket: Socket): void {
    if (this.#openedAtMs.has(socket)) return
    this.#openedAtMs.set(socket, this.#clock.now())
    socket.once('close', () => this.#openedAtMs.delete(socket))
    socket.on('error', () => {}) // whoever uses it listens too; between two users nobody does
    if (this.#holds) return
    socket.unref()
    socket.ref = () => socket // Node refs the socket of a running request
  }

  #isFresh(socket: Socket): boolean {
    return this.#clock.now() - (this.#openedAtMs.get(socket) ?? 0) <= MAX_SOCKET_AGE_MS
  }
}

/** Opens sockets as the agent does by itself: an `https` one resumes TLS sessions. */
function openBy(agent: HttpAgent, secure: boolean): OpenSocket {
  const createConnection = agent.createConnection
  return (options, onSocket, opened) => {
    const socket = createConnection.call(agent, options) as Socket
    onSocket(socket)
    whenConnected(socket, secure, opened)
  }
}

/** Tells once a socket is connected, or has failed to. */
export function whenConnected(socket: Socket, secure: boolean, opened: Opened): void {
  const ready = secure ? 'secureConnect' : 'connect'
  const end = (error: Error | null): void => {
    socket.off(ready, onReady)
    socket.off('error', end)
    socket.off('close', onClose)
    if (error === null) opened(null, socket)
    else opened(error)
  }
  const onReady = (): void => end(null)
  const onClose = (): void => end(new Error('the connection was closed while it was being made'))
  socket.once(ready, onReady)
  socket.once('error', end)
  socket.once('close', onClose)
}
