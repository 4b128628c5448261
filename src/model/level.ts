/**
 * Severity of a log event, as the wire carries it (`micromegas_tracing::levels::Level`): lower is more severe.
 * `Off` is a filter only, no event has it.
 */
export const Level = { Off: 0, Fatal: 1, Error: 2, Warn: 3, Info: 4, Debug: 5, Trace: 6 } as const
export type Level = (typeof Level)[keyof typeof Level]

/** A level by name, as options and environment variables spell it. */
export type LevelName = 'off' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** Names by level. */
export const LEVEL_NAMES: readonly LevelName[] = ['off', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']

/** The name of a level; a number outside the scale is shown as itself. */
export function levelName(level: number): string {
  return LEVEL_NAMES[level] ?? String(level)
}

/** Reads a level name, in any case; `warning` counts as `warn`. `undefined` when it is none. */
export function parseLevel(text: string): Level | undefined {
  const name = text.trim().toLowerCase()
  const index = LEVEL_NAMES.indexOf(name === 'warning' ? 'warn' : (name as LevelName))
  return index < 0 ? undefined : (index as Level)
}
