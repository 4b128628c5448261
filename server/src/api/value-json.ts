import { formatNanoseconds } from '../nanoseconds.ts'
import type { SqlRow } from '../sql/read-rows.ts'
import type { Field } from '../sql/types/arrow-type.ts'

/**
 * Rows as JSON: 64-bit integers with every digit, times as RFC 3339, bytes as hexadecimal, NaN and infinities as null.
 */
export function valueJson(rows: readonly SqlRow[], fields: readonly Field[]): string {
  const isTime = new Map(fields.map(({ name, type }) => [name, type.kind === 'Timestamp']))
  const texts = rows.map((row) => {
    const members = Object.entries(row).map(
      ([name, value]) => `${JSON.stringify(name)}:${text(value, isTime.get(name) === true)}`,
    )
    return `{${members.join(',')}}`
  })
  return `[${texts.join(',')}]`
}

function text(value: unknown, isTime: boolean): string {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'bigint':
      return isTime ? JSON.stringify(formatNanoseconds(value)) : String(value)
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : 'null'
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    default:
      return objectText(value as object)
  }
}

function objectText(value: object): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('hex'))
  if (Array.isArray(value)) return `[${value.map((item) => text(item, false)).join(',')}]`
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${text(item, false)}`)
  return `{${members.join(',')}}`
}
