import { Buffer } from 'node:buffer'

/**
 * A value as one line of text, for a table or CSV: text as it is, times and numbers exact, bytes in hexadecimal, lists and
 * objects as JSON, null as nothing.
 */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  switch (typeof value) {
    case 'string':
      return value
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    default:
      return value instanceof Uint8Array ? hex(value) : jsonText(value)
  }
}

/**
 * A value as JSON with every digit of 64-bit integers; bytes as base64. NaN and infinities, which JSON does not have, are
 * null.
 */
export function jsonText(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : 'null'
    case 'string':
      return JSON.stringify(value)
    default:
      return objectText(value as object)
  }
}

function objectText(value: object): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  if (value instanceof Date) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  if (value instanceof Map) {
    return `[${[...value].map(([key, item]) => `[${jsonText(key)},${jsonText(item)}]`).join(',')}]`
  }
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${jsonText(item)}`)
  return `{${members.join(',')}}`
}

function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}
