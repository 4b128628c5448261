import type { Env } from '../../config/process-env.ts'
import type { SettingNames } from '../config-error.ts'
import { Secret } from '../secret.ts'
import type { OidcAuthMethod, OidcClientCredentialsOptions } from './oidc-options.ts'

/** Environment variable of each option. */
export const OIDC_VARIABLES = {
  tokenEndpoint: 'MICROMEGAS_OIDC_TOKEN_ENDPOINT',
  issuer: 'MICROMEGAS_OIDC_ISSUER',
  clientId: 'MICROMEGAS_OIDC_CLIENT_ID',
  clientSecret: 'MICROMEGAS_OIDC_CLIENT_SECRET',
  clientSecretFile: 'MICROMEGAS_OIDC_CLIENT_SECRET_FILE',
  clientAssertionFile: 'MICROMEGAS_OIDC_CLIENT_ASSERTION_FILE',
  privateKeyFile: 'MICROMEGAS_OIDC_PRIVATE_KEY_FILE',
  privateKeyId: 'MICROMEGAS_OIDC_PRIVATE_KEY_ID',
  authMethod: 'MICROMEGAS_OIDC_AUTH_METHOD',
  scope: 'MICROMEGAS_OIDC_SCOPE',
  audience: 'MICROMEGAS_OIDC_AUDIENCE',
  resource: 'MICROMEGAS_OIDC_RESOURCE',
  tokenBufferSeconds: 'MICROMEGAS_OIDC_TOKEN_BUFFER_SECONDS',
} as const satisfies Partial<Record<keyof OidcClientCredentialsOptions, string>>

/** Calls options by their variables. */
export const oidcVariableNames: SettingNames = (key) =>
  key in OIDC_VARIABLES ? OIDC_VARIABLES[key as keyof typeof OIDC_VARIABLES] : key

/**
 * The options that the environment sets, not checked yet; `undefined` when it sets none. Blank counts as unset: templates
 * render missing values so.
 */
export function oidcOptionsFromEnv(env: Env): OidcClientCredentialsOptions | undefined {
  const value = (key: keyof typeof OIDC_VARIABLES): string | undefined => {
    const text = env[OIDC_VARIABLES[key]]
    return text?.trim() ? text : undefined
  }
  const keys = Object.keys(OIDC_VARIABLES) as (keyof typeof OIDC_VARIABLES)[]
  if (keys.every((key) => value(key) === undefined)) return undefined
  const secret = value('clientSecret')
  return {
    tokenEndpoint: value('tokenEndpoint'),
    issuer: value('issuer'),
    clientId: value('clientId') ?? '',
    clientSecret: secret === undefined ? undefined : new Secret(secret),
    clientSecretFile: value('clientSecretFile'),
    clientAssertionFile: value('clientAssertionFile'),
    privateKeyFile: value('privateKeyFile'),
    privateKeyId: value('privateKeyId'),
    // Checked with all the rest.
    authMethod: value('authMethod') as OidcAuthMethod | undefined,
    scope: value('scope'),
    audience: value('audience'),
    resource: value('resource'),
    tokenBufferSeconds: wholeNumber(value('tokenBufferSeconds')),
  }
}

/** `NaN`, which no range allows, for text that is no whole number. */
function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
}
