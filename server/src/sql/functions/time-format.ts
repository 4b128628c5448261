import { quote } from '../plan/expression/expr.ts'

/** Letters that mean the same to `chrono` there and to DuckDB's strftime here. */
const SAME = new Set('aAbBdHIjmMpSUwWyY%'.split(''))

/** Short for several. */
const COMPOSED: Readonly<Record<string, string>> = {
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  R: '%H:%M',
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  h: '%b',
  t: '\t',
  n: '\n',
  e: '%-d',
  k: '%-H',
  l: '%-I',
}

/**
 * A format of Rust's `chrono` as an expression over `$`, the nanoseconds since the Unix epoch; `undefined` where DuckDB
 * has no such letter, and the format must be read row by row.
 */
export function chronoFormat(format: string, isZoned: boolean): string | undefined {
  // Only a time with a zone can show one; the row by row reading then says so.
  if (/%[Zz:+#]/.test(format)) return isZoned ? undefined : `error('arrow:Cast error: Format error')`
  const parts: string[] = []
  let text = ''
  const flush = (): void => {
    if (text !== '') parts.push(`strftime(make_timestamp_ns($), ${quote(text)})`)
    text = ''
  }
  for (let i = 0; i < format.length; i++) {
    const letter = format[i]!
    if (letter !== '%') {
      text += letter
      continue
    }
    const fraction = /^%(\.?)([369]?)f/.exec(format.slice(i))
    if (fraction !== null) {
      const [whole, dot = '', digits = ''] = fraction
      flush()
      const width = digits === '' ? 9 : Number(digits)
      const nine = `lpad(CAST(mm_floor_mod($, 1000000000) AS VARCHAR), 9, '0')`
      if (dot !== '' && digits === '') parts.push('mm_fraction($)')
      else parts.push(`${dot === '' ? '' : "'.' || "}left(${nine}, ${width})`)
      i += whole.length - 1
      continue
    }
    const next = format[++i] ?? ''
    if (SAME.has(next)) text += `%${next}`
    else if (next === 's') {
      flush()
      parts.push('CAST(mm_floor_div($, 1000000000) AS VARCHAR)')
    } else if (Object.hasOwn(COMPOSED, next) && !'ekl'.includes(next)) text += COMPOSED[next]
    else return undefined
  }
  flush()
  if (parts.length === 0) return "''"
  return parts.length === 1 ? parts[0] : `(${parts.join(' || ')})`
}
