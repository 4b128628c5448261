/** In which form values come. */
export interface ValueOptions {
  /**
   * 64-bit integers, and the nanoseconds of durations, intervals and times of day: exact as `bigint`, as text, or as
   * `number`, where a value beyond ±2⁵³ is an error (`OUT_OF_RANGE`).
   *
   * @defaultValue `'bigint'`
   */
  readonly int64?: 'bigint' | 'number' | 'string' | undefined
  /**
   * Timestamps: nanoseconds since the epoch as `bigint`, RFC 3339 in UTC with up to nine digits as text (without `Z` when
   * the type has no time zone), or as `Date`, whose milliseconds are rounded down.
   *
   * @defaultValue `'bigint'`
   */
  readonly timestamps?: 'bigint' | 'date' | 'string' | undefined
  /**
   * Which binary columns hold JSONB and come decoded: besides `properties` and names that end in `_properties` or
   * `.properties`, those listed here; `false` for none.
   */
  readonly jsonb?: readonly string[] | false | undefined
}

/** {@link ValueOptions} with every member present. */
export interface ValueModes {
  readonly int64: 'bigint' | 'number' | 'string'
  readonly timestamps: 'bigint' | 'date' | 'string'
  readonly jsonb: readonly string[] | false
}

const DEFAULTS: ValueModes = { int64: 'bigint', timestamps: 'bigint', jsonb: [] }
const INT64 = ['bigint', 'number', 'string']
const TIMESTAMPS = ['bigint', 'date', 'string']

/** @throws `TypeError` for a mode that does not exist. */
export function resolveValueOptions(options: ValueOptions, defaults: ValueModes = DEFAULTS): ValueModes {
  const modes = {
    int64: options.int64 ?? defaults.int64,
    timestamps: options.timestamps ?? defaults.timestamps,
    jsonb: options.jsonb ?? defaults.jsonb,
  }
  check('int64', modes.int64, INT64)
  check('timestamps', modes.timestamps, TIMESTAMPS)
  if (modes.jsonb !== false && !Array.isArray(modes.jsonb)) {
    throw new TypeError('Cannot use jsonb: expected a list of column names, or false')
  }
  return modes
}

function check(option: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return
  throw new TypeError(`Cannot use ${option}: expected ${known.map((name) => `'${name}'`).join(', ')}`)
}

/** Whether a binary column of this name holds JSONB. */
export function holdsJsonb(name: string, modes: ValueModes): boolean {
  if (modes.jsonb === false) return false
  return /(?:^|[._])properties$/.test(name) || modes.jsonb.includes(name)
}
