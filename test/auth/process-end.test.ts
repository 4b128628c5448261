import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { issues, TokenServer } from './support/token-server.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'micromegas-auth-'))
})
afterAll(() => rm(directory, { recursive: true }))

const source = (name: string): string =>
  JSON.stringify(new URL(`../../src/auth/${name}`, import.meta.url).href)

/** Runs a module to its end; gives what it printed. */
async function run(
  script: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; output: string; ms: number }> {
  const file = join(directory, 'child.mts')
  await writeFile(file, script)
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    env: { ...process.env, ...env },
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.stderr.on('data', (chunk) => chunks.push(chunk))
  const [code] = await once(child, 'close')
  return { code, output: Buffer.concat(chunks).toString('utf8'), ms: performance.now() - started }
}

test('a renewal that hangs does not keep a process that closes its decorator from ending', async () => {
  await using server = await TokenServer.start((response, n, request) =>
    n === 1 ? issues(3600)(response, n, request) : undefined,
  )
  const { code, output, ms } = await run(
    `
    import { OidcClientCredentialsDecorator } from ${source('oidc-client-credentials-decorator.ts')}
    let now = 0
    let asked = 0
    const decorator = OidcClientCredentialsDecorator.fromEnv(process.env, {
      now: () => now,
      fetch: (url, request) => {
        if (++asked === 2) setTimeout(() => decorator.close(), 50)
        return fetch(url, request)
      },
    })
    const decorate = () => decorator.decorate({ headers: new Headers() }, AbortSignal.timeout(5000))
    await decorate()
    now = 3_500_000
    if (decorate() !== undefined) throw new Error('a valid token was there')
    `,
    {
      MICROMEGAS_OIDC_TOKEN_ENDPOINT: server.tokenEndpoint,
      MICROMEGAS_OIDC_CLIENT_ID: 'client',
      MICROMEGAS_OIDC_CLIENT_SECRET: 'secret',
    },
  )
  expect({ code, output }).toEqual({ code: 0, output: '' })
  expect(server.requests).toHaveLength(2)
  expect(ms).toBeLessThan(9_000) // the time limit of the request is 10 s
})

test('a failed renewal in the background is no unhandled rejection', async () => {
  await using server = await TokenServer.start((response, n, request) =>
    n === 1 ? issues(3600)(response, n, request) : void response.socket?.resetAndDestroy(),
  )
  const { code, output } = await run(
    `
    import { OidcClientCredentialsDecorator } from ${source('oidc-client-credentials-decorator.ts')}
    let now = 0
    const decorator = OidcClientCredentialsDecorator.fromEnv(process.env, { now: () => now })
    const decorate = () => decorator.decorate({ headers: new Headers() }, AbortSignal.timeout(5000))
    await decorate()
    now = 3_500_000
    decorate()
    `,
    {
      MICROMEGAS_OIDC_TOKEN_ENDPOINT: server.tokenEndpoint,
      MICROMEGAS_OIDC_CLIENT_ID: 'client',
      MICROMEGAS_OIDC_CLIENT_SECRET: 'secret',
    },
  )
  expect({ code, output }).toEqual({ code: 0, output: '' })
  expect(server.requests).toHaveLength(2)
})

test('openid-client is loaded with the first token and not before', async () => {
  await using server = await TokenServer.start(issues(60))
  const { code, output } = await run(
    `
    import { createRequestDecorator, readAuthEnv } from ${source('create-request-decorator.ts')}
    // What a module of the package does when it runs: it asks for the runtime's user agent.
    let loaded = false
    Object.defineProperty(globalThis, 'navigator', { configurable: true, get: () => { loaded = true; return undefined } })
    createRequestDecorator({ apiKey: 'mmk_1' })
    const decorator = createRequestDecorator(readAuthEnv(process.env).config)
    console.log(loaded)
    await decorator.decorate({ headers: new Headers() }, AbortSignal.timeout(5000))
    console.log(loaded)
    `,
    {
      MICROMEGAS_OIDC_TOKEN_ENDPOINT: server.tokenEndpoint,
      MICROMEGAS_OIDC_CLIENT_ID: 'client',
      MICROMEGAS_OIDC_CLIENT_SECRET: 'secret',
    },
  )
  expect({ code, output }).toEqual({ code: 0, output: 'false\ntrue\n' })
})
