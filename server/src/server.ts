import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { isLoopbackHost, proxiedFetch, TelemetryError } from 'micromegas/wire'
import { Analytics } from './analytics.ts'
import { Doors } from './auth/doors.ts'
import type { IssuerFetch } from './auth/issuer-keys.ts'
import { parseApiKeys } from './auth-options.ts'
import { BoundedOutput } from './command/bounded-output.ts'
import { consoleReporter } from './command/console-reporter.ts'
import { LivePrinter } from './command/live-printer.ts'
import { createApp } from './http-app.ts'
import { Arrivals } from './live/arrivals.ts'
import { LiveRoute } from './live/live-route.ts'
import { issuerLogins } from './login/issuer-login.ts'
import { configError, type MicromegasServerConfig, resolveOptions, type ServerOptions } from './options.ts'
import { Connections } from './receive/connections.ts'
import type { InsertContext } from './receive/inserts.ts'
import { BodyReader, boundUnreadBody } from './receive/request-body.ts'
import { BlockChecker } from './scan/block-checker.ts'
import { Catalog } from './scan/catalog.ts'
import { ServerReader } from './scan/ingestion-reader.ts'
import type { ServerContext } from './server-context.ts'
import type { ServerEvent, ServerEventListener } from './server-event.ts'
import { ServerStats } from './server-stats.ts'
import { readRows, type SqlRow } from './sql/read-rows.ts'
import { Store } from './store/store.ts'

/** Arrivals that a follower of `/api/live` may be late by: a minute of a busy machine. */
const MAX_ARRIVALS = 10_000

/** A running ingestion server. */
export interface MicromegasServer extends AsyncDisposable {
  /** What services take as `MICROMEGAS_TELEMETRY_URL`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /**
   * What clients of FlightSQL take as `MICROMEGAS_ANALYTICS_URI`.
   *
   * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` on a server without the role `analytics`.
   */
  readonly flightUri: string
  /** Where the data is. */
  readonly dataDir: string
  /**
   * Asks by SQL, as an administrator: 64-bit integers and timestamps (nanoseconds since the Unix epoch) come as `bigint`,
   * properties decoded.
   *
   * @throws {@link SqlError} when the query cannot be answered; {@link TelemetryError} `ERR_TELEMETRY_CONFIG` on a server without
   * the role `analytics`.
   */
  query(sql: string, options?: QueryOptions): Promise<SqlRow[]>
  /** Reads what has come. */
  readonly reader: ServerReader
  /** Waits until every block stored so far has been checked, reported and printed. */
  idle(): Promise<void>
  /**
   * Takes no more connections, answers what is under way for up to `closeTimeoutMs`, and lets go of the data directory.
   * Every call returns the same promise.
   */
  close(): Promise<void>
}

/** How {@link MicromegasServer.query} asks. */
export interface QueryOptions {
  /** Nanoseconds since the Unix epoch, both ends included. @defaultValue all there is */
  readonly range?: { readonly beginNs: bigint; readonly endNs: bigint } | undefined
  /** Most rows. */
  readonly limit?: number | undefined
  /** Stops the query. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Starts an ingestion server: the three routes of a Micromegas server that producers use, with its status codes and
 * authentication; everything it takes is kept on disk and can be read back over HTTP or through `reader`. For
 * development and tests.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` for options that cannot be used (all of them at once), a port
 * that is taken, or a data directory that cannot be used or is in use.
 * @example
 * ```ts
 * await using server = await startServer({ port: 0, temporary: true, disableAuth: true })
 * process.env.MICROMEGAS_TELEMETRY_URL = server.url
 * ```
 */
export async function startServer(options: ServerOptions): Promise<MicromegasServer> {
  const config = resolveOptions(options)
  const stats = new ServerStats(Date.now)
  const errors = config.onEvent === undefined ? new BoundedOutput(process.stderr) : undefined
  const report = reporter(
    config.onEvent ?? consoleReporter({ write: (line) => errors?.write(`${line}\n`) }),
    stats,
  )
  const authEnd = new AbortController()
  const fetch = proxiedFetch(process.env, (message) => report({ type: 'warning', message }))
  const doors = await openDoors(config, fetch, authEnd.signal, report).catch((error: unknown) => {
    errors?.close()
    throw error
  })
  const dataDir = config.dataDir ?? (await mkdtemp(join(await realpath(tmpdir()), 'micromegas-')))
  const deleteTemporary = async (): Promise<void> => {
    if (config.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
  }
  const store = await Store.open({
    dataDir,
    maxBytes: config.maxBytes,
    fsync: config.fsync,
    wallClock: Date.now,
    warn: (message) => report({ type: 'warning', message }),
  }).catch(async (error: unknown) => {
    await deleteTemporary()
    errors?.close()
    throw error
  })
  const catalog = new Catalog(store)
  const output =
    config.print === undefined
      ? undefined
      : new BoundedOutput(config.print, {
          onEnd: (reason) => report({ type: 'warning', message: `events are no longer printed: ${reason}` }),
        })
  const printer = output === undefined ? undefined : new LivePrinter(output)
  const checker = new BlockChecker({ catalog, report, onEvents: printer?.print.bind(printer) })
  const bodies = new BodyReader({ limit: config.bodyLimitBytes, clock: () => performance.now() })
  const arrivals = new Arrivals(MAX_ARRIVALS)
  const inserts: InsertContext = { config, store, catalog, checker, arrivals, report }
  const startAnalytics = (): Promise<Analytics> =>
    Analytics.start({ inserts, authenticator: doors.analytics }).catch(async (error: unknown) => {
      await checker.close()
      await store.close()
      await deleteTemporary()
      throw error
    })
  const analytics = config.roles.includes('analytics') ? await startAnalytics() : undefined
  const engine = analytics?.engine
  const liveEnd = new AbortController()
  const live = new LiveRoute({ arrivals, signal: liveEnd.signal })
  const logins = issuerLogins(config, { fetch, signal: authEnd.signal, clock: () => performance.now() })
  const context: ServerContext = { ...inserts, live, bodies, stats, doors, logins, engine }

  let closing: Promise<void> | undefined
  const server = httpServer(context)
  const connections = new Connections(server, {
    max: config.maxConnections,
    warn: (message) => report({ type: 'warning', message }),
    clock: () => performance.now(),
  })
  const close = async (): Promise<void> => {
    liveEnd.abort()
    await connections.close(config.closeTimeoutMs)
    await analytics?.close(config.closeTimeoutMs)
    authEnd.abort()
    await checker.close()
    await store.close()
    await deleteTemporary()
    output?.close()
    errors?.close()
  }
  try {
    await listen(server, config)
  } catch (error) {
    closing = close()
    await closing
    throw error
  }
  warnOfRisks(config, report)
  for (const message of doors.risks()) report({ type: 'warning', message })
  // Keys that cannot be had yet do not keep the server from starting; saying so now saves a search later.
  void doors.warmUp().then((failures) => {
    if (closing === undefined) for (const message of failures) report({ type: 'warning', message })
  })
  const { port } = server.address() as AddressInfo
  const closeOnce = (): Promise<void> => {
    closing ??= close()
    return closing
  }
  return {
    url: `http://${urlHost(config.host)}:${port}`,
    port,
    get flightUri(): string {
      if (analytics === undefined) throw withoutAnalytics()
      return `grpc://${urlHost(config.host)}:${analytics.flightPort}`
    },
    dataDir,
    query: async (sql, options = {}) => {
      if (engine === undefined) throw withoutAnalytics()
      return readRows(
        await engine.query({ ...options, sql, caller: { admin: true, user: 'the host program' } }),
      )
    },
    reader: new ServerReader(context, checker),
    idle: () => checker.idle(),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  }
}

function withoutAnalytics(): TelemetryError {
  return new TelemetryError(
    'ERR_TELEMETRY_CONFIG',
    'Cannot ask this server: analytics is not among its roles (option roles)',
  )
}

function reporter(listener: ServerEventListener, stats: ServerStats): ServerEventListener {
  return (event: ServerEvent) => {
    stats.count(event)
    try {
      listener(event)
    } catch (error) {
      // A listener's fault is not the client's.
      process.emitWarning(error instanceof Error ? error : String(error))
    }
  }
}

async function openDoors(
  { doors, disableAuth, callersAreAdmins }: MicromegasServerConfig,
  fetch: IssuerFetch,
  signal: AbortSignal,
  report: ServerEventListener,
): Promise<Doors> {
  const warn = (message: string): void => report({ type: 'warning', message })
  try {
    return await Doors.open({
      doors,
      disableAuth,
      callersAreAdmins,
      parseApiKeys,
      fetch,
      signal,
      clock: () => performance.now(),
      wallClock: Date.now,
      warn,
    })
  } catch (error) {
    throw configError([error instanceof Error ? error.message : String(error)], error)
  }
}

function httpServer(context: ServerContext): Server {
  const app = createApp(context)
  const listener = getRequestListener(app.fetch, {
    // The host's Request and Response stay what they are.
    overrideGlobalObjects: false,
    // See boundUnreadBody.
    autoCleanupIncoming: false,
  })
  return createServer((request, response) => {
    // Nothing depends on it, and the adapter refuses requests without it (HTTP/1.0, some health checks) and spellings that
    // it would change.
    request.headers.host = 'localhost'
    boundUnreadBody(request, response)
    void listener(request, response)
  })
}

function listen(server: Server, { host, port }: MicromegasServerConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException & { readonly address?: string }) => {
      // Node's message ends with the address again.
      const reason = cause.message.replace(/^listen /, '').replace(` ${cause.address}:${port}`, '')
      const hint = cause.code === 'EADDRINUSE' ? '; choose another one with --port (option port)' : ''
      const message = `Cannot listen on ${host}:${port}: ${reason}${hint}`
      reject(new TelemetryError('ERR_TELEMETRY_CONFIG', message, { cause }))
    })
    server.listen(port, host, resolve)
  })
}

function warnOfRisks(
  { disableAuth, callersAreAdmins, host, doors }: MicromegasServerConfig,
  report: ServerEventListener,
): void {
  const warn = (message: string): void => report({ type: 'warning', message })
  const all = Object.values(doors)
  if (disableAuth && !isLoopbackHost(host))
    warn(
      `authentication is disabled and ${host} is no loopback address: everyone who reaches it can write and read`,
    )
  const isConfigured = all.some(
    ({ apiKeys, apiKeysFile, oidc }) => apiKeys.length > 0 || apiKeysFile !== undefined || oidc !== undefined,
  )
  if (disableAuth && isConfigured) warn('authentication is disabled: API keys and OIDC are not looked at')
  if (all.some(({ admins, oidc }) => admins.length > 0 && oidc === undefined))
    warn('MICROMEGAS_ADMINS has no effect without OIDC: API keys are never admins')
  if (callersAreAdmins)
    warn('everyone with a key or token is an admin and may delete data (--callers-are-admins)')
}

function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
