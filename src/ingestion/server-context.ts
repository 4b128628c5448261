import type { HttpBindings } from '@hono/node-server'
import type { BlockChecker } from './block-checker.ts'
import type { QueryContext } from './event-query.ts'
import type { Identity, TokenVerifier } from './identity.ts'
import type { IngestionServerConfig } from './options.ts'
import type { BodyReader } from './request-body.ts'
import type { IngestionEventListener } from './server-event.ts'
import type { ServerStats } from './server-stats.ts'

/** What the routes of one server share. */
export interface ServerContext extends QueryContext {
  readonly config: IngestionServerConfig
  readonly checker: BlockChecker
  readonly bodies: BodyReader
  readonly stats: ServerStats
  readonly verifiers: readonly TokenVerifier[]
  /** Counts an event and hands it to the listener. */
  readonly report: IngestionEventListener
}

/** Types of the routes' contexts. */
export interface RouteTypes {
  Bindings: HttpBindings
  Variables: { identity: Identity }
}
