import { Level, parseLevel } from '../model/level.ts'
import { rawSql, type SqlFragment, sql } from '../query/sql.ts'
import { UsageError } from './usage-error.ts'

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** @throws {@link UsageError} for what is not a process id. */
export function processId(text: string): string {
  if (UUID.test(text)) return text.toLowerCase()
  throw new UsageError(
    `Cannot use the process id ${JSON.stringify(text)}: expected a UUID, as \`micromegas processes\` shows`,
  )
}

/** A whole number of a flag. */
export function count(flag: string, text: string): number {
  const value = Number(text)
  if (/^\d{1,9}$/.test(text) && value > 0) return value
  throw new UsageError(`Cannot use ${flag} ${text}: expected a whole number greater than 0`)
}

/** A level by name or number: 1 fatal … 6 trace. */
export function level(flag: string, text: string): Level {
  const byNumber = /^[1-6]$/.test(text) ? (Number(text) as Level) : undefined
  const found = byNumber ?? parseLevel(text)
  if (found !== undefined && found !== Level.Off) return found
  throw new UsageError(
    `Cannot use ${flag} ${text}: expected fatal, error, warn, info, debug, trace, or 1 to 6`,
  )
}

/** That a column holds a text, in any case of letters. */
export function contains(column: string, text: string): string {
  return sql`strpos(lower(${rawSql(column)}), lower(${text})) > 0`
}

/** `WHERE` and the conditions; nothing where there are none. */
export function where(conditions: readonly (string | undefined)[]): SqlFragment {
  const given = conditions.filter((condition) => condition !== undefined)
  return rawSql(given.length === 0 ? '' : `WHERE ${given.join(' AND ')}`)
}
