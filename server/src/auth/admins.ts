import type { JWTPayload } from 'jose'
import { shown } from './identity.ts'

/** One user of one issuer. */
export interface IssuerAdmin {
  /** As in the OIDC configuration. */
  readonly issuer: string
  /** The user's `sub`; this or {@link email}. */
  readonly subject?: string | undefined
  /** An address of the user's that the issuer vouches for; this or {@link subject}. */
  readonly email?: string | undefined
}

/**
 * A user with admin rights: a `sub` or an address of any configured issuer, as the reference server has it, or a user of
 * one issuer. Spelled exactly as in the tokens; `/api/whoami` shows them.
 */
export type Admin = string | IssuerAdmin

/** Where an address may be that the provider vouches for together with `email_verified`. */
const VOUCHED_CLAIMS = ['email', 'https://micromegas.io/email'] as const

/**
 * The addresses in a token that make an admin. Users of many providers choose their own `email`, so that it counts only
 * where the provider says that it has verified it: with `true`, or the text `"true"` that some send.
 *
 * @param trustEmail - The operator vouches for the addresses of this issuer about which a token says nothing.
 */
export function vouchedEmails(claims: JWTPayload, trustEmail: boolean): string[] {
  const { email_verified: verified, verified_primary_email: primary } = claims
  const isVouched = verified === true || verified === 'true' || (trustEmail && verified === undefined)
  const addresses = isVouched ? VOUCHED_CLAIMS.map((name) => claims[name]) : []
  // Entra ID sends a list of one.
  return [...[primary].flat(), ...addresses].filter((value) => typeof value === 'string')
}

/** Whether the list makes an admin of the token's owner. */
export function isAdmin(
  admins: readonly Admin[],
  {
    issuer,
    subject,
    emails,
  }: { readonly issuer: string; readonly subject: string; readonly emails: readonly string[] },
): boolean {
  return admins.some((admin) => {
    if (typeof admin === 'string') return admin === subject || emails.includes(admin)
    if (admin.issuer !== issuer) return false
    return admin.subject === undefined ? emails.includes(admin.email as string) : admin.subject === subject
  })
}

/** A warning about admins that more than one of the issuers could name. */
export function ambiguousAdmins(admins: readonly Admin[], issuers: readonly string[]): string | undefined {
  if (new Set(issuers).size < 2) return undefined
  const bare = admins.filter((admin) => typeof admin === 'string')
  if (bare.length === 0) return undefined
  const form = `{"issuer":"${issuers[0]}","subject":"…"}`
  return `each of the ${new Set(issuers).size} issuers can make an admin of ${bare.map(shown).join(', ')}: name the issuer with ${form} (or email)`
}
