/**
 * Shows the whole way of telemetry on one machine: starts the embedded ingestion server with a key, runs the orders
 * service under load against it, ends the service as an operator would, and reads back what arrived.
 *
 *   npm run demo               authenticated by an API key
 *   npm run demo -- --oidc     authenticated by OIDC client credentials, from a local identity provider
 *   npm run demo -- --stay     leaves the server running at the end, to look at what arrived in a browser
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startServer } from 'micromegas-server'
import { placeOrders } from './load.ts'
import { Reader, showArrived } from './show.ts'

const LOAD_SECONDS = 4
/** Lines of the service's console that are shown. */
const CONSOLE_LINES = 6
const useOidc = process.argv.includes('--oidc')
const stays = process.argv.includes('--stay')

const key = `mmk_${randomUUID()}`
const identityProvider = useOidc
  ? await (await import('./identity-provider.ts')).startIdentityProvider()
  : undefined
const server = await startServer({
  port: 0,
  temporary: true,
  apiKeys: [{ name: 'demo', key }],
  ...(identityProvider && {
    oidc: { issuers: [{ issuer: identityProvider.issuer, audience: identityProvider.audience }] },
  }),
})
console.log(`The ingestion server listens on ${server.url}`)

const credentials = identityProvider?.environment ?? { MICROMEGAS_INGESTION_API_KEY: key }
console.log(
  `The orders service authenticates with ${useOidc ? 'OIDC client credentials' : 'an API key'}; it says:\n`,
)
const service = startService({
  MICROMEGAS_TELEMETRY_URL: server.url,
  MICROMEGAS_ENABLE_CPU_TRACING: 'true',
  ...credentials,
})
const [address] = (await once(service, 'message')) as [AddressInfo]
const requests = await placeOrders(`http://127.0.0.1:${address.port}`, LOAD_SECONDS)

service.kill('SIGTERM')
const [code] = (await once(service, 'exit')) as [number]
console.log(`\n${requests} requests later the service was sent SIGTERM and ended with exit code ${code}.`)
console.log('This is what arrived:')
await showArrived(new Reader(server.url, key))

if (stays) {
  console.log(`\nLook at it: ${server.url}/ui/#key=${key}\nCtrl-C ends it.`)
  await new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
} else console.log('\nTo look at it in a browser: npm run demo -- --stay')
await server.close()
identityProvider?.close()

function startService(environment: Record<string, string>): ChildProcess {
  const main = fileURLToPath(new URL('../orders/main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--enable-source-maps', '--import', 'tsx', main], {
    env: { ...process.env, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  // The first lines are enough to see that the service logs on its console, too.
  let shown = 0
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface(stream).on('line', (line) => {
      if (shown < CONSOLE_LINES) console.log(`  ${line}`)
      else if (shown === CONSOLE_LINES) console.log('  …')
      shown++
    })
  }
  return child
}
