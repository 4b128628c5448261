import * as z from 'zod/mini'
import type { DoorConfig } from '../auth/doors.ts'
import { issuerUrl, text } from '../schemas.ts'
import type { PageLogin } from './page-login.ts'

/** What the variable looks like, for help and error messages. */
export const PAGE_LOGIN_FORM = '[{"issuer":"https://…","client_id":"…"}]'

const member: z.ZodMiniString = text('expected a text')

function loginSchema<Id extends string, Secret extends string>(id: Id, secret: Secret) {
  return z.strictObject(
    {
      issuer: issuerUrl,
      [id]: member,
      [secret]: z.optional(member),
      scope: z.optional(member),
      audience: z.optional(member),
    } as {
      issuer: typeof issuerUrl
      scope: z.ZodMiniOptional<z.ZodMiniString>
      audience: z.ZodMiniOptional<z.ZodMiniString>
    } & Record<Id, z.ZodMiniString> &
      Record<Secret, z.ZodMiniOptional<z.ZodMiniString>>,
    { error: `expected an object with issuer, ${id} and, if wanted, ${secret}, scope, audience` },
  )
}

export const pageLoginSchema: z.ZodMiniType<readonly PageLogin[]> = z.array(
  loginSchema('clientId', 'clientSecret'),
  { error: "expected an array such as [{ issuer: 'https://…', clientId: '…' }]" },
)

/** Wire names, as in the variable. */
export const pageLoginEnvSchema: z.ZodMiniType<readonly PageLogin[]> = z.pipe(
  z.array(loginSchema('client_id', 'client_secret'), {
    error: `expected an array such as ${PAGE_LOGIN_FORM}`,
  }),
  z.transform((logins) =>
    logins.map(
      ({ client_id: clientId, client_secret: clientSecret, ...login }): PageLogin => ({
        ...login,
        clientId,
        clientSecret,
      }),
    ),
  ),
)

/** Logins at issuers that answering questions does not know: every token would be refused. */
export function pageLoginProblems(logins: readonly PageLogin[], { oidc }: DoorConfig): string[] {
  const issuers = new Set((oidc?.issuers ?? []).map(({ issuer }) => issuer))
  return logins.flatMap(({ issuer }, index) =>
    issuers.has(issuer)
      ? []
      : [
          `pageLogin[${index}]: its issuer is not one of those configured for answering questions, spelled exactly so`,
        ],
  )
}
