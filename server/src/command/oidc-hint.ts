import type { OidcIssuer } from '../auth/oidc-verifier.ts'

/** A kind of provider, by its issuer, and what its token requests need besides the client. */
interface Provider {
  readonly issuer: RegExp
  readonly lines: (issuer: OidcIssuer) => readonly string[]
}

/** What the settings of each provider are, with the reasons, is in docs/authentication.md. */
const PROVIDERS: readonly Provider[] = [
  {
    issuer: /^https:\/\/[^/]+\.auth0\.com(\/|$)/,
    lines: ({ audience }) => [`MICROMEGAS_OIDC_AUDIENCE=${audience}`],
  },
  {
    // The audience follows from the scope.
    issuer: /^https:\/\/(login\.microsoftonline\.(com|us|cn)|sts\.windows\.net)\//,
    lines: ({ audience }) => [
      `MICROMEGAS_OIDC_SCOPE=${audience.includes('://') ? audience : `api://${audience}`}/.default`,
    ],
  },
  {
    issuer: /^https:\/\/[^/]+\.okta(preview|-emea)?\.com(\/|$)/,
    lines: () => ['MICROMEGAS_OIDC_SCOPE=<a custom scope of that authorization server>'],
  },
  // The audience is put into the token by a mapper.
  { issuer: /\/realms\/[^/]+\/?$/, lines: () => [] },
  {
    issuer: /^https:\/\/cognito-idp\.[^/]+\.amazonaws\.com\//,
    lines: () => ['MICROMEGAS_OIDC_SCOPE=<a scope of a resource server>'],
  },
]
/** Providers that have no client credentials for OAuth clients. */
const WITHOUT_CLIENT_CREDENTIALS =
  /^https:\/\/(accounts\.google\.com|token\.actions\.githubusercontent\.com)(\/|$)/

/**
 * The environment of a service that gets its tokens from an issuer. Where tokens are issued, the service finds out from the
 * issuer.
 */
export function oidcHint(issuer: OidcIssuer): string[] {
  const { issuer: url, audience } = issuer
  if (WITHOUT_CLIENT_CREDENTIALS.test(url))
    return [
      `(services cannot get tokens from ${url} with a client secret: give them an API key, or a decorator of their own)`,
    ]
  const client = [
    `MICROMEGAS_OIDC_ISSUER=${url}`,
    'MICROMEGAS_OIDC_CLIENT_ID=<client id>',
    'MICROMEGAS_OIDC_CLIENT_SECRET=<client secret>',
  ]
  const provider = PROVIDERS.find((one) => one.issuer.test(url))
  if (provider !== undefined) return [...client, ...provider.lines(issuer)]
  return [
    ...client,
    `(and, as the provider wants it, MICROMEGAS_OIDC_RESOURCE or MICROMEGAS_OIDC_AUDIENCE=${audience}, or MICROMEGAS_OIDC_SCOPE)`,
  ]
}
