import * as z from 'zod/mini'

/** A text with something in it. */
export const text = (error: string): z.ZodMiniString => z.string({ error }).check(z.regex(/\S/, { error }))
export const whole = (minimum: number, error: string): z.ZodMiniNumber =>
  z.int({ error }).check(z.minimum(minimum, { error }))
export const flag: z.ZodMiniDefault<z.ZodMiniBoolean> = z._default(
  z.boolean({ error: 'expected true or false' }),
  false,
)

export const issuerUrl: z.ZodMiniString = z.string({ error: 'issuer: expected a URL' }).check(
  z.refine((value) => URL.canParse(value) && /^https?:\/\//.test(value), {
    error: 'issuer: expected an https URL (http for local development)',
  }),
)

/** What is wrong, one line per problem, led by `name` and the place within it. Shows no value. */
export function problemsOf(name: string, error: z.core.$ZodError): string[] {
  return error.issues.map((issue) => {
    const place = issue.path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
    // Members named by the messages themselves are not named twice.
    const shown = /^(name|key|issuer|audience|scope|client_id|client_secret|clientId|clientSecret): /.test(
      issue.message,
    )
      ? place.replace(/\.\w+$/, '')
      : place
    return `${name}${shown}: ${issue.message}`
  })
}
