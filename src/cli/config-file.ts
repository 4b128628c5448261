import * as z from 'zod/mini'
import { optionProblems } from '../config/option-problems.ts'
import { UsageError } from './usage-error.ts'

// As the platform's other clients write it; members of theirs that are not read here are passed over.
const profile = z.object({
  uri: z.optional(z.string()),
  client_id: z.optional(z.string()),
  scope: z.optional(z.string()),
  issuers: z.optional(z.array(z.object({ issuer: z.string(), audience: z.optional(z.string()) }))),
})
const file = z.extend(profile, {
  profiles: z.optional(z.record(z.string(), profile)),
  default_profile: z.optional(z.string()),
})

export type ConfigProfile = z.infer<typeof profile>
export type ConfigFile = z.infer<typeof file>

/** @throws {@link UsageError} naming what is wrong in the file. */
export function parseConfigFile(path: string, value: unknown): ConfigFile {
  const parsed = file.safeParse(value)
  if (parsed.success) return parsed.data
  throw new UsageError(`Cannot read ${path}: ${optionProblems(parsed.error, '', 'the file').join('; ')}`)
}
