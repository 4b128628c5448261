import { Level, type LevelName, parseLevel } from '../model/level.ts'

/** Levels by the names that logging libraries and services give them, besides our own names. */
const LEVELS_BY_NAME: ReadonlyMap<string, Level> = new Map([
  // syslog, as winston and as cloud services spell it
  ['emerg', Level.Fatal],
  ['emergency', Level.Fatal],
  ['alert', Level.Fatal],
  ['crit', Level.Fatal],
  ['critical', Level.Fatal],
  ['err', Level.Error],
  ['notice', Level.Info],
  // winston's npm and cli sets
  ['help', Level.Info],
  ['data', Level.Info],
  ['prompt', Level.Info],
  ['http', Level.Debug],
  ['verbose', Level.Debug],
  ['input', Level.Debug],
  ['silly', Level.Trace],
])

/** The level of a name that is in common use, in any case; `undefined` for others, and for `off`. */
export function levelOfName(name: string): Level | undefined {
  return parseLevel(name) || LEVELS_BY_NAME.get(name.trim().toLowerCase())
}

/**
 * Reads the option of a bridge that says what levels are recorded as.
 *
 * @param what - What is being made, for the error's message.
 * @throws `TypeError` when a level is to be recorded as one that does not exist.
 */
export function resolveRecordedAs(
  levels: Readonly<Record<string, LevelName>> | undefined,
  what: string,
): ReadonlyMap<string, Level> {
  const resolved = new Map<string, Level>()
  for (const [name, recordedAs] of Object.entries(levels ?? {})) {
    const level = typeof recordedAs === 'string' ? parseLevel(recordedAs) : undefined
    if (level === undefined || level === Level.Off) {
      throw new TypeError(
        `Cannot make ${what}: levels: '${name}' is to be recorded as '${String(recordedAs)}', expected fatal, error, warn, info, debug or trace`,
      )
    }
    resolved.set(name, level)
  }
  return resolved
}
