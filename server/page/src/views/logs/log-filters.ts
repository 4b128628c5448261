import { all, literal, propertyIs, targetIs, textContains } from '../../data/sql.ts'

/** A condition that rows must have, or must not. */
export interface Chip {
  readonly kind: 'target' | 'property' | 'text'
  /** `shop.*`, `name=value`, or words. */
  readonly value: string
  readonly not: boolean
}

export interface LogFilters {
  readonly processId: string | undefined
  /** The most verbose level that is shown. */
  readonly maxLevel: number | undefined
  readonly text: string | undefined
  readonly chips: readonly Chip[]
}

/** `target:shop.*`, `not-property:region=eu`: how chips stand in the address. */
export function chipText({ kind, value, not }: Chip): string {
  return `${not ? 'not-' : ''}${kind}:${value}`
}

export function parseChip(text: string): Chip | undefined {
  const [, not, kind, value] = /^(not-)?(target|property|text):(.+)$/s.exec(text) ?? []
  if (kind === undefined || value === undefined) return undefined
  return { kind: kind as Chip['kind'], value, not: not !== undefined }
}

export function readFilters(params: URLSearchParams): LogFilters {
  const level = Number(params.get('level'))
  return {
    processId: params.get('p') ?? undefined,
    maxLevel: Number.isInteger(level) && level >= 1 && level <= 6 ? level : undefined,
    text: params.get('search') || undefined,
    chips: params
      .getAll('f')
      .map(parseChip)
      .filter((chip) => chip !== undefined),
  }
}

function condition({ kind, value, not }: Chip): string {
  const plain =
    kind === 'target'
      ? targetIs(value)
      : kind === 'text'
        ? textContains('msg', value)
        : propertyCondition(value)
  // A row without the property has not the value.
  return not ? `NOT coalesce(${plain}, false)` : plain
}

function propertyCondition(text: string): string {
  const at = text.indexOf('=')
  return at < 0
    ? `property_get(properties, ${literal(text)}) IS NOT NULL`
    : propertyIs(text.slice(0, at), text.slice(at + 1))
}

export function conditions({ processId, maxLevel, text, chips }: LogFilters): string[] {
  return [
    ...(processId === undefined ? [] : [`process_id = ${literal(processId)}`]),
    ...(maxLevel === undefined ? [] : [`level <= ${maxLevel}`]),
    ...(text === undefined ? [] : [textContains('msg', text)]),
    ...chips.map(condition),
  ]
}

const COLUMNS = 'insert_time, block_id, process_id, time, level, target, msg, properties'

/** The newest rows, the newest first. */
export function logsSql(filters: LogFilters, limit: number, more: readonly string[] = []): string {
  return `SELECT ${COLUMNS}
FROM log_entries
${all([...conditions(filters), ...more])}
ORDER BY time DESC
LIMIT ${limit}`
}

export function facetsSql(filters: LogFilters): string {
  return `SELECT target, level, count(*) AS n
FROM log_entries
${all(conditions(filters))}
GROUP BY target, level
ORDER BY n DESC
LIMIT 200`
}
