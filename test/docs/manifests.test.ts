import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { readEnvironment } from '../../src/main/environment.ts'

const folder = fileURLToPath(new URL('../../examples/container', import.meta.url))
const textOf = (file: string): string => readFileSync(join(folder, file), 'utf8')

interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } }
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: string } }
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly [string, string] } } }
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly containers: readonly [Container]
  readonly volumes: readonly { readonly name: string }[]
}

const documents = parseAllDocuments(textOf('kubernetes.yaml'))
test('the manifests of Kubernetes are YAML', () => {
  expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([])
})

const [deployment, service] = documents.map((document) => document.toJS()) as [
  {
    readonly spec: {
      readonly template: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec }
    }
  },
  {
    readonly spec: { readonly selector: object; readonly ports: readonly { readonly targetPort: string }[] }
  },
]
const pod = deployment.spec.template.spec
const [container] = pod.containers
const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value ?? 'a-value']))

test('the variables of the manifests are documented ones, with values that the package takes', () => {
  const documented = readFileSync(join(folder, '../../docs/configuration.md'), 'utf8')
  const ours = Object.keys(env).filter((name) => name.startsWith('MICROMEGAS_'))
  expect(ours.filter((name) => !documented.includes(`\`${name}\``))).toEqual([])
  const problems: string[] = []
  const { processProperties } = readEnvironment(problems, env)
  expect(problems).toEqual([])
  expect(processProperties).toEqual({ cluster: 'prod', role: 'orders', pod: '$(POD)' })
})

test('ports, probes and selectors of the manifests fit each other and the Dockerfile', () => {
  const [port] = container.ports
  expect(textOf('Dockerfile')).toContain(`EXPOSE ${port!.containerPort}`)
  expect(env.PORT).toBe(String(port!.containerPort))
  for (const { httpGet } of [container.readinessProbe, container.livenessProbe]) {
    expect(httpGet.port).toBe(port!.name)
    expect(textOf('service.mjs')).toContain(`'${httpGet.path}'`)
  }
  expect(service.spec.ports.map(({ targetPort }) => targetPort)).toEqual([port!.name])
  expect(service.spec.selector).toEqual(deployment.spec.template.metadata.labels)
})

test('the grace period leaves time for the requests and for delivery, and the secret is mounted', () => {
  const shutdown = Number(env.MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS)
  const preStop = Number(container.lifecycle.preStop.exec.command[1])
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(preStop + 2 * shutdown)
  const [mount] = container.volumeMounts
  expect(env.MICROMEGAS_INGESTION_API_KEY_FILE).toMatch(new RegExp(`^${mount!.mountPath}/[\\w-]+$`))
  expect(pod.volumes.map(({ name }) => name)).toEqual([mount!.name])
})

test('the compose file publishes the port of the service, and stops later than delivery may take', () => {
  const compose = parse(textOf('compose.yaml')) as {
    readonly services: Record<
      string,
      { readonly ports: readonly string[]; readonly stop_grace_period: string }
    >
  }
  const [port] = container.ports
  expect(compose.services.app!.ports).toEqual([`${port!.containerPort}:${port!.containerPort}`])
  expect(Number.parseInt(compose.services.app!.stop_grace_period, 10)).toBeGreaterThan(10)
})
