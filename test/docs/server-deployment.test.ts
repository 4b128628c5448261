import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { serverOptionsFromEnv } from '../../server/src/index.ts'
import { resolveOptions } from '../../server/src/options.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const textOf = (file: string): string => readFileSync(join(root, 'examples/server', file), 'utf8')
const { bin } = JSON.parse(readFileSync(join(root, 'server/package.json'), 'utf8')) as {
  readonly bin: Readonly<Record<string, string>>
}
const SCRIPT = `node_modules/micromegas-server/${bin['micromegas-server']!.replace('./', '')}`

interface Service {
  readonly ports: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
  readonly volumes?: readonly string[]
}
const compose = parse(textOf('compose.yaml')) as {
  readonly services: { readonly app: Service; readonly micromegas: Service }
  readonly secrets: Readonly<Record<string, unknown>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const dockerfile = textOf('Dockerfile')
const imageEnv = Object.fromEntries(
  (/^ENV (.*)$/m.exec(dockerfile)?.[1] ?? '').split(' ').map((entry) => entry.split('=')),
) as Record<string, string>

test('the image starts the command of the package, with variables that it reads', () => {
  expect(dockerfile).toContain(`CMD ["node", "${SCRIPT}", "--json-logs"]`)
  const { micromegas } = compose.services
  const config = resolveOptions(serverOptionsFromEnv({ ...imageEnv, ...micromegas.environment }))
  expect(config).toMatchObject({ host: '0.0.0.0', dataDir: '/data', maxBytes: 4 * 1024 ** 3 })
  expect(config.doors.ingestion.apiKeysFile).toBe('/run/secrets/api-keys')
  expect(dockerfile).toContain(`EXPOSE ${config.port} ${config.flightPort}`)
  expect(micromegas.ports).toEqual(
    [config.port, config.flightPort].map((port) => `127.0.0.1:${port}:${port}`),
  )
  expect(compose.services.app.environment.MICROMEGAS_TELEMETRY_URL).toBe(`http://micromegas:${config.port}`)
})

test('secrets and volumes that services use are declared', () => {
  const services = Object.values(compose.services)
  expect(services.flatMap(({ secrets }) => secrets).sort()).toEqual(Object.keys(compose.secrets).sort())
  const volumes = services.flatMap((service) => service.volumes ?? [])
  expect(volumes).toEqual(Object.keys(compose.volumes).map((name) => `${name}:/data`))
})

test('the unit of systemd starts the same command, with variables that the server reads', () => {
  const unit = textOf('micromegas-server.service')
  expect(unit).toContain(`ExecStart=/usr/bin/node /opt/micromegas/${SCRIPT} --json-logs`)
  const env = Object.fromEntries(
    [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  )
  const config = resolveOptions(serverOptionsFromEnv(env))
  const state = /^StateDirectory=(.*)$/m.exec(unit)?.[1]
  expect(config.dataDir).toBe(`/var/lib/${state}`)
  const credential = /^LoadCredential=([^:]+):/m.exec(unit)?.[1]
  expect(config.doors.ingestion.apiKeysFile).toBe(`%d/${credential}`)
})
