import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Authenticator } from './auth/authenticator.ts'
import { FlightServer } from './flight/flight-server.ts'
import type { InsertContext } from './receive/inserts.ts'
import { BulkIngest } from './replicate/bulk-ingest.ts'
import type { ServerEventListener } from './server-event.ts'
import type { SqlEngine } from './sql/engine.ts'
import { LateEngine } from './sql/late-engine.ts'
import type { EngineOptions } from './sql/local-engine.ts'
import { WorkerEngine } from './sql/worker/worker-engine.ts'
import { StoreFeed } from './store-feed.ts'

/** Beyond this the engine writes to disk, or refuses a query. */
const MEMORY_LIMIT_BYTES = 384 * 1024 * 1024
const QUERY_TIMEOUT_MS = 60_000
const MAX_CONCURRENT_QUERIES = 2
const MAX_THREADS = 4
/** In tests, where another thread takes seconds to load what the built one loads at once. */
const RUNS_FROM_SOURCES = import.meta.url.endsWith('.ts')

export interface AnalyticsOptions {
  /** What rows that are sent for administrators are taken with, beside the store that is asked. */
  readonly inserts: InsertContext
  /** Who may ask. */
  readonly authenticator: Authenticator
}

/** The part of a server that answers questions: an SQL engine over the store, and FlightSQL in front of it. */
export class Analytics {
  readonly engine: SqlEngine
  readonly #flight: FlightServer

  private constructor(engine: SqlEngine, flight: FlightServer) {
    this.engine = engine
    this.#flight = flight
  }

  /** @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when the port cannot be had. */
  static async start({ inserts, authenticator }: AnalyticsOptions): Promise<Analytics> {
    const { config, store, report } = inserts
    const feed = new StoreFeed(store)
    const engine = new LateEngine(
      () => openEngine(config.dataDir, feed, report),
      () => feed.flush(),
    )
    feed.listen((change) => engine.notify(change))
    const flight = await FlightServer.listen({
      host: config.host,
      port: config.flightPort,
      engine,
      bulk: new BulkIngest(inserts),
      authenticator,
      maxConnections: config.maxConnections,
      onFull: atMostOnceAMinute(() =>
        report({
          type: 'warning',
          message: `all ${config.maxConnections} connections of FlightSQL are in use: new ones are turned away (option maxConnections)`,
        }),
      ),
      onRefused: ({ path, status, reason }) =>
        report({ type: 'refused', method: 'gRPC', path, status, reason }),
    })
    return new Analytics(engine, flight)
  }

  get flightPort(): number {
    return this.#flight.port
  }

  async close(timeoutMs: number): Promise<void> {
    await this.#flight.close(timeoutMs)
    await this.engine.close()
  }
}

function atMostOnceAMinute(tell: () => void): () => void {
  let toldAtMs = Number.NEGATIVE_INFINITY
  return () => {
    if (performance.now() - toldAtMs < 60_000) return
    toldAtMs = performance.now()
    tell()
  }
}

async function openEngine(
  dataDir: string | undefined,
  feed: StoreFeed,
  report: ServerEventListener,
): Promise<SqlEngine> {
  const warn = (message: string): void => report({ type: 'warning', message })
  const folder = dataDir === undefined ? undefined : join(dataDir, 'tables')
  if (folder !== undefined) await mkdir(folder, { recursive: true, mode: 0o700 })
  const options: EngineOptions = {
    databasePath: folder === undefined ? undefined : join(folder, 'tables.duckdb'),
    tempDirectory: folder === undefined ? undefined : join(folder, 'tmp'),
    memoryLimitBytes: MEMORY_LIMIT_BYTES,
    threads: Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
    queryTimeoutMs: QUERY_TIMEOUT_MS,
    maxConcurrentQueries: MAX_CONCURRENT_QUERIES,
    warn,
    audit: (query) => report({ type: 'query', ...query }),
  }
  if (!RUNS_FROM_SOURCES) return new WorkerEngine(feed, options)
  const { LocalEngine } = await import('./sql/local-engine.ts')
  return LocalEngine.open(feed, options, async () => {
    if (options.databasePath !== undefined) await rm(options.databasePath, { force: true })
  })
}
