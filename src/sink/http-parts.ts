import type { RequestDecoratorFactory } from '../auth/request-decorator.ts'
import { Transport, type TransportOptions } from '../http/clients/transport.ts'
import { resolveEndpoint } from '../http/endpoint.ts'
import { proxyFromEnv } from '../http/proxy/proxy.ts'
import type { Clock } from '../model/runtime/clock.ts'
import { createTelemetryEncoder } from '../telemetry/encoder.ts'
import { ExitRoute } from './exit/exit-route.ts'
import {
  type HttpEventSinkConfig,
  type HttpEventSinkOptions,
  resolveHttpEventSinkOptions,
} from './http-event-sink-options.ts'
import { Notices } from './notices.ts'
import { Spool } from './spool/spool.ts'
import { SpoolDirectory } from './spool/spool-directory.ts'
import { SpoolKeeper } from './spool/spool-keeper.ts'
import { Credentials } from './upload/upload-credentials.ts'
import { UploadPipeline } from './upload/upload-pipeline.ts'

export interface HttpPartsOptions {
  readonly url: string | URL
  readonly options: HttpEventSinkOptions
  readonly decoratorFactory: RequestDecoratorFactory | undefined
  readonly clock: Clock
  /** How requests are made, but for where to. */
  readonly transport: Omit<TransportOptions, 'service' | 'proxy' | 'clock'>
  /** Runs what neither belongs to what the host does now nor is to be traced. */
  readonly isolate: <T>(fn: () => T) => T
}

/** What an `HttpEventSink` is made of. */
export interface HttpParts {
  readonly config: HttpEventSinkConfig
  readonly notices: Notices
  readonly credentials: Credentials
  readonly transport: Transport
  readonly exit: ExitRoute
  readonly pipeline: UploadPipeline
  readonly spool: SpoolKeeper | undefined
  /** Why nothing can be compressed; `undefined` where it can. */
  readonly compressionError: Promise<Error | undefined>
}

/** @throws As the constructor of `HttpEventSink` does. */
export function makeHttpParts(parts: HttpPartsOptions): HttpParts {
  const { clock, isolate, decoratorFactory } = parts
  const endpoint = resolveEndpoint(parts.url)
  const service = endpoint.insertUrls.block
  const config = resolveHttpEventSinkOptions(parts.options)
  const proxy = proxyFromEnv(service, process.env, config.warn)
  const via = proxy === undefined ? '' : ` (through the proxy ${proxy.label})`
  const notices = new Notices(endpoint.label + via, decoratorFactory !== undefined, config.warn, clock)
  const directory = config.spoolDir === undefined ? undefined : new SpoolDirectory(config.spoolDir, clock)
  const credentials = new Credentials(decoratorFactory)
  const transport = new Transport({ ...parts.transport, service, proxy, clock })
  const exit = new ExitRoute({ service, proxy, clock })
  const encoder = createTelemetryEncoder()
  const pipeline = new UploadPipeline({
    config,
    endpoint,
    credentials,
    transport,
    encoder,
    notices,
    clock,
    isolate,
  })
  let spool: SpoolKeeper | undefined
  if (directory !== undefined) {
    const files = new Spool({ directory, maxBytes: config.spoolMaxBytes, encoder, clock })
    spool = new SpoolKeeper(files, pipeline, notices, clock)
    pipeline.observe(spool)
    isolate(() => spool?.start())
  }
  const { compressionError } = encoder
  return { config, notices, credentials, transport, exit, pipeline, spool, compressionError }
}
