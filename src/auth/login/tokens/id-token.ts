import { LoginRequiredError } from '../login-error.ts'

/** What is read of an ID token (OpenID Connect Core section 2). */
export interface IdTokenClaims {
  readonly sub: string
  readonly email: string | undefined
  readonly name: string | undefined
  /** Seconds since the Unix epoch. */
  readonly exp: number
  /** Seconds since the Unix epoch. */
  readonly iat: number | undefined
}

/** A token is refreshed this long before it expires, as the platform's other clients do; half its life if that is less. */
const REFRESH_BEFORE_S = 300

/**
 * Reads an ID token without checking its signature, which is the server's affair (and was done when it was issued).
 *
 * @returns `undefined` for what is not a JWT with a subject and an expiry: it counts as expired.
 * @throws {@link LoginRequiredError} for a token that nobody has signed (`alg: none`).
 */
export function readIdToken(token: string): IdTokenClaims | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  const header = parseSection(parts[0]!)
  const claims = parseSection(parts[1]!)
  if (String(header?.alg).toLowerCase() === 'none') {
    throw new LoginRequiredError('Cannot use the ID token: it is not signed (alg=none); log in again')
  }
  const { sub, exp } = claims ?? {}
  if (typeof sub !== 'string' || sub === '' || typeof exp !== 'number' || !Number.isFinite(exp))
    return undefined
  return {
    sub,
    exp,
    email: textOf(claims?.email),
    name: textOf(claims?.name),
    iat: typeof claims?.iat === 'number' ? claims.iat : undefined,
  }
}

/** Whether the token need not be refreshed yet. */
export function isFresh({ exp, iat }: IdTokenClaims, nowMs: number): boolean {
  const life = iat === undefined ? Number.POSITIVE_INFINITY : exp - iat
  return exp - nowMs / 1000 > Math.min(REFRESH_BEFORE_S, life / 2)
}

function parseSection(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined // not a JWT
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
