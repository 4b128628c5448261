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

/**
 * Runs a module to its end, which comes when nothing is left to do.
 *
 * @param until - When the child's input is closed; it may wait for that with `end()`.
 */
async function run(
  script: string,
  env: NodeJS.ProcessEnv = {},
  until: Promise<void> = Promise.resolve(),
): Promise<{ code: number; output: string }> {
  const file = join(directory, 'child.mts')
  await writeFile(
    file,
    `const end = () => new Promise((resolve) => process.stdin.on('end', resolve).resume())\n${script}`,
  )
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    env: { ...process.env, ...env },
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.stderr.on('data', (chunk) => chunks.push(chunk))
  const closed = once(child, 'close')
  await Promise.race([until, closed])
  child.stdin.end()
  const [code] = await closed
  return { code, output: Buffer.concat(chunks).toString('utf8') }
}

/** Gets a token, starts its renewal in the background, and waits for the end of the input. */
const RENEWAL = `
  import { OidcClientCredentialsDecorator } from ${source('oidc/oidc-client-credentials-decorator.ts')}
  let now = 0
  const decorator = OidcClientCredentialsDecorator.fromEnv(process.env, { now: () => now, requestTimeoutMs: 600_000 })
  const decorate = () => decorator.decorate({ headers: new Headers() }, AbortSignal.timeout(5000))
  await decorate()
  now = 3_550_000 // the latest that chance allows is 3_510_000
  if (decorate() !== undefined) throw new Error('a valid token was there')
  await end()
`

function clientOf(server: TokenServer): NodeJS.ProcessEnv {
  return {
    MICROMEGAS_OIDC_TOKEN_ENDPOINT: server.tokenEndpoint,
    MICROMEGAS_OIDC_CLIENT_ID: 'client',
    MICROMEGAS_OIDC_CLIENT_SECRET: 'secret',
  }
}

test('a renewal that hangs does not keep a process that closes its decorator from ending', async () => {
  await using server = await TokenServer.start((response, n, request) =>
    n === 1 ? issues(3600)(response, n, request) : undefined,
  )
  const { code, output } = await run(`${RENEWAL}; decorator.close()`, clientOf(server), server.requested(2))
  expect({ code, output }).toEqual({ code: 0, output: '' })
})

test('a failed renewal in the background is no unhandled rejection', async () => {
  await using server = await TokenServer.start((response, n, request) =>
    n === 1 ? issues(3600)(response, n, request) : void response.socket?.resetAndDestroy(),
  )
  const { code, output } = await run(RENEWAL, clientOf(server), server.requested(2))
  expect({ code, output }).toEqual({ code: 0, output: '' })
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
    clientOf(server),
  )
  expect({ code, output }).toEqual({ code: 0, output: 'false\ntrue\n' })
})
