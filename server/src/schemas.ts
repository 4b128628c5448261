import * as z from 'zod/mini'

/** A text with something in it. */
export const text = (error: string): z.ZodMiniString => z.string({ error }).check(z.regex(/\S/, { error }))
export const whole = (minimum: number, error: string): z.ZodMiniNumber =>
  z.int({ error }).check(z.minimum(minimum, { error }))
export const flag: z.ZodMiniDefault<z.ZodMiniBoolean> = z._default(
  z.boolean({ error: 'expected true or false' }),
  false,
)

export const issuerUrl: z.ZodMiniString = z.string({ error: 'expected a URL' }).check(
  z.refine((value) => URL.canParse(value) && /^https?:\/\//.test(value), {
    error: 'expected an https URL (http for local development)',
  }),
)
