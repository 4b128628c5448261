import { formatNanoseconds, type Time, toNanoseconds } from './time.ts'

/** A piece of SQL that stands in a template as it is; made by {@link ident}, {@link timestamp} and {@link rawSql}. */
export class SqlFragment {
  readonly #text: string

  /** @internal */
  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What {@link sql} can quote. `undefined` is an error: a missing value must not become NULL unseen. */
export type SqlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | Uint8Array
  | SqlFragment
  | readonly SqlValue[]

/**
 * SQL with its values quoted as literals. Servers take no parameters, so this is the way to pass what comes from outside.
 *
 * Text becomes `'…'`, a `Date` `TIMESTAMP '…'`, bytes `X'…'`, a list `(…, …)` as `IN` wants it; names go through
 * {@link ident}, times in nanoseconds or as `'1h'` through {@link timestamp}. A value inside quotes or a comment of the
 * template is an error: quoting would end there.
 *
 * @throws `TypeError` for a value that cannot be quoted, or one in such a place; `RangeError` for `NaN` and infinities.
 * @example
 * ```ts
 * const { rows } = await client.query(sql`select * from log_entries where target = ${target} and level <= ${2}`, { begin: '1h' })
 * ```
 */
export function sql(strings: TemplateStringsArray, ...values: readonly SqlValue[]): string {
  let text = ''
  let place = CODE
  for (const [i, part] of strings.entries()) {
    text += part
    place = placeAfter(part, place)
    if (i === values.length) break
    if (place !== CODE) {
      throw new TypeError(`Cannot quote value ${i + 1} of the template: it stands inside ${place.name}`)
    }
    text += literal(values[i], `value ${i + 1} of the template`)
  }
  return text
}

/**
 * A name (a column, a table), quoted: `ident('end')` is `"end"`. Several parts are joined by dots: `ident('p', 'exe')` is
 * `"p"."exe"`; one with a dot in it is one name, as the columns of `blocks` have (`ident('processes.exe')`).
 *
 * @throws `TypeError` for no name or an empty one.
 */
export function ident(...names: readonly [string, ...string[]]): SqlFragment {
  if (
    names.length === 0 ||
    names.some((name) => typeof name !== 'string' || name === '' || name.includes('\0'))
  ) {
    throw new TypeError('Cannot quote a name: expected text that is not empty')
  }
  return new SqlFragment(names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.'))
}

/**
 * A point in time as a literal, exact to the nanosecond.
 *
 * @throws `TypeError` for what is not a time, `RangeError` for one that is before 1677-09-21 or after 2262-04-11.
 */
export function timestamp(time: Time): SqlFragment {
  return new SqlFragment(`TIMESTAMP '${formatNanoseconds(toNanoseconds(time))}'`)
}

/** SQL that is put into a template as it is: for conditions that the program itself has put together. Never for input. */
export function rawSql(text: string): SqlFragment {
  return new SqlFragment(text)
}

function literal(value: unknown, what: string): string {
  switch (typeof value) {
    case 'string':
      if (value.includes('\0')) throw new TypeError(`Cannot quote ${what}: it holds a NUL character`)
      return `'${value.replaceAll("'", "''")}'`
    case 'number':
      if (!Number.isFinite(value)) throw new RangeError(`Cannot quote ${what}: ${value} is no SQL literal`)
      // Parentheses, since `a -${-1}` would begin a comment.
      return value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? '-0.0' : value})` : String(value)
    case 'bigint':
      return value < 0n ? `(${value})` : String(value)
    case 'boolean':
      return value ? 'TRUE' : 'FALSE'
    case 'object':
      return objectLiteral(value, what)
    default:
      throw new TypeError(`Cannot quote ${what}: its type is ${typeof value}`)
  }
}

function objectLiteral(value: object | null, what: string): string {
  if (value === null) return 'NULL'
  if (value instanceof SqlFragment) return value.toString()
  if (value instanceof Date) return timestamp(value).toString()
  if (value instanceof Uint8Array)
    return `X'${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}'`
  if (Array.isArray(value)) {
    // `IN ()` is no SQL, and `NOT IN (NULL)` is never true: there is no literal that means it.
    if (value.length === 0) throw new TypeError(`Cannot quote ${what}: an empty list`)
    return `(${value.map((item) => literal(item, what)).join(', ')})`
  }
  throw new TypeError(
    `Cannot quote ${what}: expected text, a number, a boolean, null, a Date, bytes or a list of these`,
  )
}

/** Where a template stands: in code, or inside something that ends with `end`. */
interface Place {
  readonly name: string
  readonly end: string
  /** Of comments in comments. */
  readonly depth?: number
  /** Whether a backslash hides the next character: in `E'…'`. */
  readonly escapes?: boolean
}

const CODE: Place = { name: '', end: '' }
const OPENING = /[eE]?'|["`]|--|\/\*|\$[A-Za-z_]*\$/y
const WORD = /[A-Za-z_][\w$]*/y

/** Where the SQL stands after a part that begins in `place`. */
function placeAfter(part: string, place: Place): Place {
  let now = place
  for (let i = 0; i < part.length; ) {
    if (now === CODE) {
      const opening = matchAt(OPENING, part, i)
      now = opening === undefined ? CODE : opened(opening)
      i += (opening ?? matchAt(WORD, part, i))?.length ?? 1
    } else if (now.escapes && part[i] === '\\') i += 2
    else if (now.depth !== undefined && part.startsWith('/*', i)) {
      now = { ...now, depth: now.depth + 1 }
      i += 2
    } else if (part.startsWith(now.end, i)) {
      i += now.end.length
      now = now.depth === undefined || now.depth === 1 ? CODE : { ...now, depth: now.depth - 1 }
    } else i++
  }
  return now
}

function matchAt(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index
  return pattern.exec(text)?.[0]
}

function opened(opening: string): Place {
  if (opening === '--') return { name: 'a comment', end: '\n' }
  if (opening === '/*') return { name: 'a comment', end: '*/', depth: 1 }
  if (opening === '"' || opening === '`') return { name: `${opening}…${opening}`, end: opening }
  if (opening.endsWith('$')) return { name: `${opening}…${opening}`, end: opening }
  return { name: "'…'", end: "'", escapes: opening.length === 2 }
}
