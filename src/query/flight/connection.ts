import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { TelemetryError } from '../../model/errors.ts'
import { QueryError } from '../query-error.ts'
import type { AnalyticsAddress } from './analytics-uri.ts'
import {
  Channel,
  type ChannelCredentials,
  type ChannelOptions,
  connectivityState,
  credentials,
  setLogger,
} from './grpc-js.ts'
import { noteProxyTrouble, type QueryProxy } from './query-proxy.ts'

/** What a connection needs to know. */
export interface ConnectionConfig {
  readonly address: AnalyticsAddress
  readonly proxy: QueryProxy | undefined
  readonly tls: TlsConfig
  readonly connectTimeoutMs: number
  readonly keepaliveMs: number | undefined
  readonly maxMessageBytes: number
}

/** PEM, each. */
export interface TlsConfig {
  readonly ca: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  readonly cert: string | Uint8Array | undefined
  readonly key: string | Uint8Array | undefined
}

const { IDLE, CONNECTING, TRANSIENT_FAILURE } = connectivityState
/** Large answers come about twice as fast as with HTTP/2's own 64 KiB; more makes no difference. */
const WINDOW_BYTES = 4 * 1024 * 1024
const PING_TIMEOUT_MS = 10_000

/** A channel while a call uses it. */
export interface Lease {
  readonly channel: Channel
  /** To be called once, when the call has ended. */
  release(): void
}

interface Entry {
  readonly channel: Channel
  users: number
  retired: boolean
}

/** One connection for all calls of a client. It is opened by the first call, and again after it was lost. */
export class Connection {
  readonly #config: ConnectionConfig
  readonly #credentials: ChannelCredentials
  #current: Entry | undefined
  #closed = false

  /** @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when certificates or the key cannot be used. */
  constructor(config: ConnectionConfig) {
    this.#config = config
    this.#credentials = config.address.tls ? secure(config.tls) : credentials.createInsecure()
    setLogger({ error: noteProxyTrouble, info() {}, debug() {} })
  }

  /** The server, and the way there where it leads through a proxy: for messages. */
  get label(): string {
    const { address, proxy } = this.#config
    return proxy === undefined ? address.label : `${address.label} through the proxy ${proxy.label}`
  }

  /**
   * A channel that is connected, or has just found out why it cannot be: then the call fails with that.
   *
   * @throws {@link QueryError} `UNAVAILABLE` when neither happens within `connectTimeoutMs`; the signal's reason;
   * {@link TelemetryError} `ERR_TELEMETRY_CLOSED` after `close()`.
   */
  async lease(signal: AbortSignal): Promise<Lease> {
    const entry = this.#usable()
    entry.users++
    const release = (): void => {
      entry.users--
      if (entry.retired && entry.users === 0) entry.channel.close()
    }
    try {
      await this.#settle(entry.channel, signal)
      return { channel: entry.channel, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Calls that still run are for their owners to end. */
  close(): void {
    this.#closed = true
    if (this.#current !== undefined) retire(this.#current)
  }

  /**
   * How long to wait between attempts is for those who ask: a channel that has failed is replaced when the next call comes.
   * Calls that still run on it end in their own time, as when a server shuts down and lets them.
   */
  #usable(): Entry {
    if (this.#closed) throw new TelemetryError('ERR_TELEMETRY_CLOSED', 'Cannot query: the client is closed')
    const known = this.#current
    if (known !== undefined && known.channel.getConnectivityState(false) !== TRANSIENT_FAILURE) return known
    if (known !== undefined) retire(known)
    const channel = new Channel(this.#target(), this.#credentials, this.#options())
    this.#current = { channel, users: 0, retired: false }
    return this.#current
  }

  async #settle(channel: Channel, signal: AbortSignal): Promise<void> {
    let state = channel.getConnectivityState(true)
    if (state !== IDLE && state !== CONNECTING) return
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(this.#timeout()), this.#config.connectTimeoutMs)
    const either = AbortSignal.any([signal, late.signal])
    try {
      while (state === IDLE || state === CONNECTING) {
        await stateChange(channel, state, either)
        state = channel.getConnectivityState(true)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #target(): string {
    return `dns:${(this.#config.proxy ?? this.#config.address).authority}`
  }

  #options(): ChannelOptions {
    const { address, proxy, keepaliveMs, maxMessageBytes } = this.#config
    return {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': -1,
      ...(keepaliveMs === undefined ? {} : { 'grpc.keepalive_time_ms': keepaliveMs }),
      'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.use_local_subchannel_pool': 1, // a connection is shared by one client's calls, and closed with the client
      'grpc.service_config_disable_resolution': 1, // no DNS TXT queries
      'grpc.enable_channelz': 0,
      'grpc.enable_http_proxy': 0, // see query-proxy.ts
      'grpc-node.flow_control_window': WINDOW_BYTES,
      ...(proxy === undefined ? {} : { 'grpc.default_authority': address.authority }),
      ...(proxy === undefined ? {} : { 'grpc.http_connect_target': `dns:${address.authority}` }),
      ...(proxy?.credentials === undefined ? {} : { 'grpc.http_connect_creds': proxy.credentials }),
    }
  }

  #timeout(): QueryError {
    return new QueryError(
      'UNAVAILABLE',
      `Cannot reach ${this.label}: no connection within ${this.#config.connectTimeoutMs} ms`,
    )
  }
}

function retire(entry: Entry): void {
  entry.retired = true
  if (entry.users === 0) entry.channel.close()
}

function secure({ ca, cert, key }: TlsConfig): ChannelCredentials {
  try {
    const context = createSecureContext({
      ...(ca === undefined ? {} : { ca: (Array.isArray(ca) ? ca : [ca]).map(pem) }),
      ...(cert === undefined ? {} : { cert: pem(cert) }),
      ...(key === undefined ? {} : { key: pem(key) }),
    })
    return namingHostsOnly(credentials.createFromSecureContext(context))
  } catch (cause) {
    throw new TelemetryError('ERR_TELEMETRY_CONFIG', 'Cannot use ca, cert or key: expected PEM', { cause })
  }
}

/**
 * gRPC names the server in the handshake even where its name is an address, which is no name there (RFC 6066, section 3) and
 * which Node 26 refuses. Without a name the certificate is still checked against the address.
 */
function namingHostsOnly(secured: ChannelCredentials): ChannelCredentials {
  const createConnector = secured._createSecureConnector.bind(secured)
  secured._createSecureConnector = (...args) => {
    const connector = createConnector(...args) as ReturnType<typeof createConnector> & {
      readonly connectionOptions: { servername?: string }
    }
    const { connectionOptions } = connector
    if (isIP(connectionOptions.servername ?? '') !== 0) connectionOptions.servername = ''
    return connector
  }
  return secured
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value)
}

function stateChange(channel: Channel, from: connectivityState, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    channel.watchConnectivityState(from, Number.POSITIVE_INFINITY, () => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
  })
}
