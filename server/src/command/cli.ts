#!/usr/bin/env node
import { resolve as resolvePath } from 'node:path'
import { Command } from 'commander'
import { TelemetryError } from 'micromegas/wire'
import packageJson from '../../package.json' with { type: 'json' }
import type { ApiKey } from '../auth/api-keys.ts'
import { ADMINS_FORM, API_KEYS_FORM, type DoorOptions, OIDC_CONFIG_FORM } from '../auth-options.ts'
import { PAGE_LOGIN_FORM } from '../login/login-options.ts'
import {
  configError,
  DEFAULT_DATA_DIR,
  DEFAULT_FLIGHT_PORT,
  DEFAULT_HOST,
  DEFAULT_PORT,
  resolveOptions,
  type ServerOptions,
} from '../options.ts'
import { printable, printableJson } from '../server-event.ts'
import { GENERATED_KEY_FILE } from '../store/data-dir.ts'
import { BoundedOutput } from './bounded-output.ts'
import { consoleReporter } from './console-reporter.ts'
import { readServerEnv, readTextSettings } from './environment.ts'
import { generatedKey } from './generated-key.ts'
import { startMessage } from './start-message.ts'

interface Flags {
  readonly host?: string
  readonly port?: string
  readonly flightPort?: string
  readonly dataDir?: string
  readonly maxBytes?: string
  readonly roles?: string
  readonly fsync?: true
  readonly print?: true
  readonly disableAuth?: true
  readonly callersAreAdmins?: true
  readonly generateKey?: true
  readonly jsonLogs?: true
}

const FLAG_NAMES = {
  host: '--host',
  port: '--port',
  flightPort: '--flight-port',
  dataDir: '--data-dir',
  maxBytes: '--max-bytes',
  roles: '--roles',
} as const

const ENVIRONMENT = `
Environment (flags win):
  MICROMEGAS_API_KEYS             accepted keys: ${API_KEYS_FORM}
  MICROMEGAS_API_KEYS_FILE        a file with more of them, read again when it changes
  MICROMEGAS_OIDC_CONFIG          accepted token issuers: ${OIDC_CONFIG_FORM}
  MICROMEGAS_ADMINS               OIDC users who may delete data: ${ADMINS_FORM}
  MICROMEGAS_ANALYTICS_PORT       port of FlightSQL
  MICROMEGAS_INGESTION_API_KEYS, _API_KEYS_FILE, _OIDC_CONFIG, _ADMINS
                                  the same for taking telemetry only
  MICROMEGAS_ANALYTICS_API_KEYS, _API_KEYS_FILE, _OIDC_CONFIG, _ADMINS
                                  the same for answering questions only
  MICROMEGAS_INGESTION_HOST, _PORT, _DATA_DIR, _MAX_BYTES, _FSYNC; MICROMEGAS_SERVER_ROLES
  MICROMEGAS_PAGE_LOGIN           logins that the page offers: ${PAGE_LOGIN_FORM}

One of --disable-auth, --generate-key, MICROMEGAS_API_KEYS, MICROMEGAS_API_KEYS_FILE and MICROMEGAS_OIDC_CONFIG is needed.`

function parseFlags(argv: readonly string[]): Flags {
  const command = new Command('micromegas-server')
    .description('Receives, keeps and shows Micromegas telemetry on this machine.')
    .version(packageJson.version, '--version', 'show the version')
    .option('--host <address>', `address to listen on (default: ${DEFAULT_HOST})`)
    .option('--port <number>', `port to listen on, 0 for any free one (default: ${DEFAULT_PORT})`)
    .option(
      '--flight-port <number>',
      `port of FlightSQL, 0 for any free one (default: ${DEFAULT_FLIGHT_PORT})`,
    )
    .option(
      '--data-dir <directory>',
      `where everything is kept, made when missing (default: ${DEFAULT_DATA_DIR})`,
    )
    .option('--max-bytes <bytes>', 'how much is kept, e.g. 500MiB, 2GiB, unlimited (default: 4GiB)')
    .option('--fsync', 'answer once what came is on the disk: a power cut loses nothing either')
    .option('--roles <list>', 'ingestion, analytics: do only one of them (default: both)')
    .option('--print', 'follow logs, metrics and finished spans in the terminal')
    .option('--disable-auth', 'take and give everything to everyone; for local development')
    .option('--callers-are-admins', 'let everyone who comes in delete data, where nobody else could')
    .option('--generate-key', `make an API key once, keep it in <data-dir>/${GENERATED_KEY_FILE}, show it`)
    .option('--json-logs', 'report as JSON, one object a line, on the standard error output')
    .allowExcessArguments(false)
    .addHelpText('after', ENVIRONMENT)
  return command.parse(argv).opts<Flags>()
}

/** Environment and flags together; everything that is wrong with either is one error. */
async function readOptions(flags: Flags): Promise<{
  readonly options: ServerOptions
  readonly generated: string | undefined
  readonly notes: readonly string[]
}> {
  const env = readServerEnv(process.env)
  const named = readTextSettings({ names: FLAG_NAMES, ...flags })
  const problems = [...env.problems, ...named.problems, ...blankFlags(flags)]
  if (flags.generateKey === true && flags.disableAuth === true)
    problems.push('--generate-key: excludes --disable-auth, with which no key is looked at')
  if (problems.length > 0) throw configError(problems)
  const { notes } = env
  const options: ServerOptions = {
    ...env.options,
    ...named.options,
    ...(flags.fsync === true && { fsync: true }),
    disableAuth: flags.disableAuth === true,
    callersAreAdmins: flags.callersAreAdmins === true,
  }
  if (flags.generateKey !== true) return { options, generated: undefined, notes }
  const made = await generatedKey(resolvePath(options.dataDir ?? DEFAULT_DATA_DIR))
  return { options: withKey(options, made), generated: made.key, notes }
}

/** Adds a key for both doors, also where they have keys of their own. */
function withKey(options: ServerOptions, key: ApiKey): ServerOptions {
  const added = (door: DoorOptions): DoorOptions => ({ ...door, apiKeys: [...(door.apiKeys ?? []), key] })
  const hasKeys = (door: DoorOptions | undefined): door is DoorOptions =>
    door?.apiKeys !== undefined || door?.apiKeysFile !== undefined
  const { ingestion, analytics } = options
  return {
    ...options,
    ...added(options),
    ...(hasKeys(ingestion) && { ingestion: added(ingestion) }),
    ...(hasKeys(analytics) && { analytics: added(analytics) }),
  }
}

/** A blank variable counts as unset, as templates render them so; a blank flag was meant to say something. */
function blankFlags(flags: Flags): string[] {
  const names = Object.keys(FLAG_NAMES) as (keyof typeof FLAG_NAMES)[]
  return names
    .filter((name) => flags[name]?.trim() === '')
    .map((name) => `${FLAG_NAMES[name]}: expected a value, it is empty`)
}

async function run(): Promise<void> {
  const flags = parseFlags(process.argv)
  const { options, generated, notes } = await readOptions(flags)
  const json = flags.jsonLogs === true
  // Whoever reads either may go away before the server does: `| head`.
  const [output, errors] = [new BoundedOutput(process.stdout), new BoundedOutput(process.stderr)]
  const writeLog = (line: string): void => errors.write(`${line}\n`)
  const report = consoleReporter({ write: writeLog, json })
  for (const message of notes) report({ type: 'warning', message })
  // Only now: what is wrong with the options, and the version, are said in half the time without it.
  const { startServer } = await import('../server.ts')
  const server = await startServer({ ...options, print: flags.print === true, onEvent: report })
  const config = resolveOptions(options)
  if (json) {
    const listening = {
      level: 'info',
      type: 'listening',
      url: server.url,
      ...(config.roles.includes('analytics') && { flightUri: server.flightUri }),
      generatedKey: generated,
    }
    writeLog(printableJson({ time: new Date().toISOString(), ...listening }))
  } else output.write(startMessage(server, config, generated))

  let signals = 0
  const stop = (signal: NodeJS.Signals): void => {
    signals += 1
    // The second signal does not wait.
    if (signals > 1) process.exit(signal === 'SIGINT' ? 130 : 143)
    server.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    )
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

function fail(error: unknown): never {
  // A configuration error says everything in its message; anything else is a fault with a stack.
  const isConfig = error instanceof TelemetryError && error.code === 'ERR_TELEMETRY_CONFIG'
  const text = isConfig ? error.message : ((error as Error)?.stack ?? String(error))
  process.stderr.write(`${text.split('\n').map(printable).join('\n')}\n`)
  process.exit(1)
}

run().catch(fail)
