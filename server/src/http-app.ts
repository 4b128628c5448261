import { type Context, Hono, type MiddlewareHandler, type Next } from 'hono'
import { isLoopbackHost } from 'micromegas/wire'
import { gatewayRoutes } from './api/gateway-route.ts'
import { readRoutes } from './api/read-routes.ts'
import { AUTH_ANSWERS } from './auth/authenticator.ts'
import type { Door } from './auth/doors.ts'
import { loginRoutes } from './login/login-routes.ts'
import { addPageRoutes } from './page/page-routes.ts'
import { foreignReason } from './receive/foreign-request.ts'
import { addInsertRoutes } from './receive/insert-routes.ts'
import type { RouteTypes, ServerContext } from './server-context.ts'
import type { SqlEngine } from './sql/engine.ts'

const ALL_BUT_GET = ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']

/**
 * The server's routes. The order of checks is the reference's: an unknown path is 404 whoever asks; then credentials,
 * before a byte of the body is read; then the method, the size, and what the body says.
 */
export function createApp(context: ServerContext): Hono<RouteTypes> {
  const app = new Hono<RouteTypes>()
  const { engine } = context

  app.get('/health', (c) => c.body(null, 200))
  app.get('/ready', async (c) => c.body(null, (await context.store.isReady()) ? 200 : 503))
  app.all('/health', (c) => methodNotAllowed(c, 'GET,HEAD'))
  app.all('/ready', (c) => methodNotAllowed(c, 'GET,HEAD'))

  if (context.config.roles.includes('ingestion')) addIngestion(app, context)
  if (engine !== undefined) addAnalytics(app, context, engine)

  app.notFound((c) => c.body(null, 404))
  app.onError((error, c) => {
    const { method, path } = c.req
    context.report({ type: 'refused', status: 500, method, path, reason: error.message })
    return c.text('Internal server error', 500)
  })
  return app
}

function addIngestion(app: Hono<RouteTypes>, context: ServerContext): void {
  const routes = ['insert_process', 'insert_stream', 'insert_block'].map((name) => `/ingestion/${name}`)
  for (const route of routes)
    app.use(
      route,
      requireIdentity(context, 'ingestion', (c, text, status) => c.text(text, status)),
    )
  for (const route of routes)
    app.use(
      route,
      refuseForeign(context, (c, text) => c.text(text, 403)),
    )
  addInsertRoutes(app, context)
  for (const route of routes) app.all(route, (c) => methodNotAllowed(c, 'POST'))
}

function addAnalytics(app: Hono<RouteTypes>, context: ServerContext, engine: SqlEngine): void {
  app.use(
    '/api/*',
    requireIdentity(context, 'analytics', (c, error, status) => c.json({ error }, status)),
  )
  app.use(
    '/api/*',
    refuseForeign(context, (c, error) => c.json({ error }, 403)),
  )
  app.use('/api/*', noStore)
  app.use('/api/*', untilClientLeaves)
  app.route('/api', readRoutes(context))

  app.use(
    '/gateway/*',
    requireIdentity(context, 'analytics', (c, text, status) => c.text(text, status)),
  )
  app.use(
    '/gateway/*',
    refuseForeign(context, (c, text) => c.text(text, 403)),
  )
  app.use('/gateway/*', noStore)
  app.use('/gateway/*', untilClientLeaves)
  app.route(
    '/gateway',
    gatewayRoutes(engine, () => performance.now()),
  )

  app.use(
    '/ui/*',
    refuseForeign(context, (c, text) => c.text(text, 403)),
  )
  app.route(
    '/ui/login',
    loginRoutes({
      logins: context.logins,
      report: context.report,
      clock: () => performance.now(),
    }),
  )
  addPageRoutes(app)
  app.on(ALL_BUT_GET, ['/ui', '/ui/', '/ui/:name'], (c) => methodNotAllowed(c, 'GET,HEAD'))
}

type RouteContext = Context<RouteTypes>

function requireIdentity(
  { doors, report }: ServerContext,
  door: Door,
  refuse: (c: RouteContext, text: string, status: 401 | 503) => Response,
): MiddlewareHandler<RouteTypes> {
  return async (c, next) => {
    const outcome = await doors[door].authenticate(c.env.incoming.headers.authorization)
    if (outcome.ok) {
      c.set('identity', outcome.identity)
      return next()
    }
    const { status, reason } = outcome
    report({ type: 'refused', status, method: c.req.method, path: c.req.path, reason })
    return refuse(c, AUTH_ANSWERS[status], status)
  }
}

/** Without credentials, a server is guarded by its address alone, and a web page could get around that. */
function refuseForeign(
  { config, report }: ServerContext,
  refuse: (c: RouteContext, text: string) => Response,
): MiddlewareHandler<RouteTypes> {
  const isLoopback = isLoopbackHost(config.host)
  return async (c, next) => {
    const reason = config.disableAuth ? foreignReason(c.env.incoming, isLoopback) : undefined
    if (reason === undefined) return next()
    report({ type: 'refused', status: 403, method: c.req.method, path: c.req.path, reason })
    return refuse(c, `Refused without authentication: ${reason}`)
  }
}

/** A question ends with the one who asked. */
async function untilClientLeaves(c: RouteContext, next: Next): Promise<void> {
  const left = new AbortController()
  const { outgoing } = c.env
  outgoing.once('close', () => left.abort(new Error('the client has left')))
  c.set('signal', left.signal)
  await next()
}

async function noStore(c: RouteContext, next: Next): Promise<void> {
  await next()
  c.header('cache-control', 'no-store')
  c.header('x-content-type-options', 'nosniff')
}

function methodNotAllowed(c: RouteContext, allow: string): Response {
  return c.body(null, 405, { allow })
}
