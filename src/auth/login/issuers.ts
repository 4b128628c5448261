/** What a login asks for. */
export const DEFAULT_SCOPE = 'openid email profile offline_access'
const GOOGLE = 'https://accounts.google.com'

/** For which issuer a person logs in, and what for. */
export interface AuthorizationRequest {
  readonly issuer: string
  readonly scope: string
  readonly audience?: string | undefined
}

/** The parameters that each authorization request has. */
export function authorizationParameters({
  issuer,
  scope,
  audience,
}: AuthorizationRequest): Record<string, string> {
  const asked = audience === undefined ? {} : { audience }
  if (trimSlash(issuer) !== GOOGLE) return { ...asked, scope }
  // Google knows no scope `offline_access`, and gives a refresh token for these two parameters instead.
  const known = scope.split(' ').filter((name) => name !== 'offline_access')
  return { ...asked, scope: known.join(' '), access_type: 'offline', prompt: 'consent' }
}

/**
 * Discovers an issuer by its name, and once more where it calls itself by the same name with, or without, a slash at its end.
 *
 * @throws What `discover` throws.
 */
export async function discoverIssuer<T>(
  issuer: string,
  discover: (issuer: string) => Promise<T>,
): Promise<T> {
  try {
    return await discover(issuer)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED') throw error
    return discover(issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`)
  }
}

export function trimSlash(issuer: string): string {
  return issuer.replace(/\/$/, '')
}
