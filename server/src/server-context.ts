import type { HttpBindings } from '@hono/node-server'
import type { Authenticator } from './auth/authenticator.ts'
import type { Door } from './auth/doors.ts'
import type { Identity } from './auth/identity.ts'
import type { Arrivals } from './live/arrivals.ts'
import type { LiveRoute } from './live/live-route.ts'
import type { IssuerLogin } from './login/issuer-login.ts'
import type { MicromegasServerConfig } from './options.ts'
import type { BodyReader } from './receive/request-body.ts'
import type { BlockChecker } from './scan/block-checker.ts'
import type { QueryContext } from './scan/event-query.ts'
import type { ServerEventListener } from './server-event.ts'
import type { ServerStats } from './server-stats.ts'
import type { SqlEngine } from './sql/engine.ts'

/** What the routes of one server share. */
export interface ServerContext extends QueryContext {
  readonly config: MicromegasServerConfig
  readonly checker: BlockChecker
  /** What was stored lately. */
  readonly arrivals: Arrivals
  /** Tells of it. */
  readonly live: LiveRoute
  readonly bodies: BodyReader
  readonly stats: ServerStats
  /** Logins that the page offers. */
  readonly logins: readonly IssuerLogin[]
  /** Undefined where the server answers no questions. */
  readonly engine: SqlEngine | undefined
  /** Who may come in where. */
  readonly doors: Readonly<Record<Door, Authenticator>>
  /** Counts an event and hands it to the listener. */
  readonly report: ServerEventListener
}

/** Types of the routes' contexts. */
export interface RouteTypes {
  Bindings: HttpBindings
  Variables: {
    identity: Identity
    /** Aborted when the client has left. */
    signal: AbortSignal
  }
}
