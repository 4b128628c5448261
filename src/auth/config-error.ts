import { TelemetryError } from '../model/errors.ts'

/**
 * Names a setting to the person who made it: an option's key becomes the environment variable it was read from, or
 * stays the key when it came from code.
 */
export type SettingNames = (key: string) => string

/** The names of settings given in code. */
export const optionNames: SettingNames = (key) => key

/** Settings for credentials that cannot be used. Its code is `ERR_TELEMETRY_CONFIG`. */
export class CredentialsConfigError extends TelemetryError {
  override readonly name: string = 'CredentialsConfigError'
  /** All that is wrong, one sentence each, starting with the name of the setting and never quoting its value. */
  readonly problems: readonly string[]

  /** @param what - What the settings are for: `the API key`. */
  constructor(what: string, problems: readonly string[], options?: ErrorOptions) {
    super('ERR_TELEMETRY_CONFIG', `Cannot use ${what}: ${problems.join('; ')}`, options)
    this.problems = problems
  }
}
