import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type MicromegasServer, startServer } from '../../../server/src/index.ts'

const run = promisify(execFile)
const fixtureOf = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const HTTP1 = 'registered.mjs'
export const HTTP2 = 'registered-http2.mjs'
export const MINUTE_NS = 60_000_000_000n

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a fixture with the flags, `way` being its argument. */
export async function start(
  env: Record<string, string>,
  flags = ['--import', 'micromegas/register'],
  way = '',
  fixture = HTTP1,
): Promise<Outcome> {
  const { PATH } = process.env
  const options = { env: { PATH, ...env }, cwd: fileURLToPath(new URL('..', import.meta.url)) }
  try {
    const { stdout, stderr } = await run(process.execPath, [...flags, fixtureOf(fixture), way], options)
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome
    return { code, stdout, stderr }
  }
}

/** The same, with a server that it records to; its caller closes that. */
export async function record(
  flags?: string[],
  way?: string,
  env: Record<string, string> = {},
  fixture = HTTP1,
): Promise<[MicromegasServer, Outcome]> {
  const server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
  const settings = {
    MICROMEGAS_TELEMETRY_URL: server.url,
    MICROMEGAS_INSTRUMENT_OPENTELEMETRY: 'false',
    ...env,
  }
  return [server, await start(settings, flags, way, fixture)]
}
