import { type Context, Hono } from 'hono'
import * as z from 'zod/mini'
import { foreignReason } from '../receive/foreign-request.ts'
import { BodyReader } from '../receive/request-body.ts'
import type { RouteTypes } from '../server-context.ts'
import type { ServerEventListener } from '../server-event.ts'
import type { IssuerLogin } from './issuer-login.ts'
import { LoginRefused } from './page-login.ts'

const MAX_BODY_BYTES = 64 * 1024

const issuer = z.string()
const begin = z.object({ issuer, redirectUri: z.string() })
const finish = z.object({
  issuer,
  answer: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
})
const refresh = z.object({ issuer, refreshToken: z.string() })

export interface LoginRoutesOptions {
  readonly logins: readonly IssuerLogin[]
  readonly report: ServerEventListener
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/**
 * `/ui/login`: what the page asks while nobody is logged in yet. The page may talk to no other host, so the server asks the issuer
 * for it. Only pages of this server may ask, and only for a way back to themselves.
 */
export function loginRoutes({ logins, report, clock }: LoginRoutesOptions): Hono<RouteTypes> {
  const routes = new Hono<RouteTypes>()
  const bodies = new BodyReader({ limit: MAX_BODY_BYTES, clock })
  routes.use('*', async (c, next) => {
    c.header('cache-control', 'no-store')
    // By whatever name, for a proxy may stand before a server on loopback: issuers send nobody back to names they do not know.
    const reason = foreignReason(c.env.incoming, false)
    if (reason === undefined) return next()
    report({ type: 'refused', status: 403, method: c.req.method, path: c.req.path, reason })
    return c.json({ error: `Refused: ${reason}` }, 403)
  })
  routes.get('/', (c) => c.json(logins.map(({ issuer: name }) => ({ issuer: name }))))

  const post = <T extends { readonly issuer: string }>(
    path: string,
    schema: z.ZodMiniType<T>,
    answer: (login: IssuerLogin, asked: T, c: Context<RouteTypes>) => Promise<object>,
  ): void => {
    routes.post(path, async (c) => {
      // Another one would be sent by a form of any page, without asking first.
      if (!/^application\/json\b/i.test(c.req.header('content-type') ?? '')) {
        return c.json({ error: 'expected application/json' }, 415)
      }
      const text = await bodies.read(
        c.env.incoming,
        async (body) => body && Buffer.from(body).toString('utf8'),
      )
      if (text === undefined) return c.json({ error: 'length limit exceeded' }, 413)
      const parsed = schema.safeParse(parse(text))
      const login = parsed.success ? logins.find((one) => one.issuer === parsed.data.issuer) : undefined
      if (!parsed.success || login === undefined) return c.json({ error: 'not a login of this server' }, 400)
      try {
        return c.json(await answer(login, parsed.data, c))
      } catch (error) {
        if (!(error instanceof LoginRefused)) throw error
        report({ type: 'refused', status: 400, method: 'POST', path: c.req.path, reason: error.message })
        return c.json({ error: error.message }, 400)
      }
    })
  }
  post('/begin', begin, (login, { redirectUri }, c) => login.begin(ownPage(redirectUri, c)))
  post('/finish', finish, (login, { answer, ...begun }, c) => {
    ownPage(answer, c)
    return login.finish(new URL(answer), begun)
  })
  post('/refresh', refresh, (login, { refreshToken }) => login.refresh(refreshToken))
  return routes
}

/** Browsers send their own origin with a POST: nobody can be sent back to another place than the page that asks. */
function ownPage(address: string, c: Context<RouteTypes>): string {
  const origin = c.req.header('origin')
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || origin === undefined || url.origin !== origin || !url.pathname.endsWith('/ui/')) {
    throw new LoginRefused('the way back is not to this page')
  }
  return address
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
