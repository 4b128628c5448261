import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Context, Hono } from 'hono'
import type { RouteTypes } from '../server-context.ts'
import { type PageFile, readPageFiles } from './page-files.ts'

/** Nothing but the page's own files and this server: what comes as data stays text. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const NOT_BUILT =
  'The page is not here: its files belong beside the server, in dist/page of the package micromegas-server.\n'

/** `GET /ui/`: the page. Its files hold no data, and are given to everyone who may talk to the server. */
export function addPageRoutes(app: Hono<RouteTypes>): void {
  let reading: Promise<ReadonlyMap<string, PageFile>> | undefined
  const give = async (c: Context<RouteTypes>, name: string): Promise<Response> => {
    // Read with the first request: most servers of a test never show it.
    reading ??= readPageFiles()
    const files = await reading
    if (files.size === 0) return c.text(NOT_BUILT, 503)
    const file = files.get(name)
    if (file === undefined) return c.body(null, 404)
    const compressed = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '')
    const body = compressed ? file.gzipped : new Uint8Array(await promisify(gunzip)(file.gzipped))
    return c.body(body, 200, {
      'content-type': file.type,
      ...(compressed && { 'content-encoding': 'gzip' }),
      vary: 'accept-encoding',
      'cache-control': file.hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  }
  app.get('/ui', (c) => c.redirect('/ui/'))
  app.get('/ui/', (c) => give(c, 'index.html'))
  app.get('/ui/:name', (c) => give(c, c.req.param('name')))
}
