import { createRequestDecorator, readAuthEnv } from '../auth/create-request-decorator.ts'
import type { RequestDecoratorFactory } from '../auth/request-decorator.ts'
import { tell } from '../config/diagnostics.ts'
import type { Env } from '../config/process-env.ts'
import { proxiedFetch } from '../http/proxy/proxied-fetch.ts'
import type { TelemetryConfig } from './telemetry-options.ts'

/**
 * How uploads are authenticated: what the options say, then the environment's API key, then its OIDC client, then not at
 * all.
 *
 * @param problems - Gets a line for everything that is wrong with the credentials, without their values.
 */
export function resolveCredentials(
  config: Pick<TelemetryConfig, 'decoratorFactory' | 'apiKey'>,
  problems: string[],
  env: Env = process.env,
): RequestDecoratorFactory | undefined {
  if (config.decoratorFactory !== undefined) return config.decoratorFactory
  const runtime = { warn: tell, fetch: proxiedFetch(env, tell) }
  if (config.apiKey !== undefined) {
    const decorator = createRequestDecorator({ apiKey: config.apiKey }, runtime)
    return decorator && (() => decorator)
  }
  const auth = readAuthEnv(env)
  problems.push(...auth.problems)
  if (auth.problems.length > 0) return undefined
  const decorator = createRequestDecorator(auth.config, runtime)
  return decorator && (() => decorator)
}
