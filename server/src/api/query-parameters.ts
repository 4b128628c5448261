import {
  LEVEL_NAMES,
  type LevelName,
  parseTextPattern,
  parseUuid,
  TEXT_PATTERN_EXPECTED,
  TelemetryError,
} from 'micromegas/wire'
import { parseNanoseconds } from '../nanoseconds.ts'
import { DEFAULT_LIMIT, type EventQuery, MAX_LIMIT } from '../scan/event-query.ts'
import { parseCursor } from '../scan/scan.ts'

const MS_PER: Readonly<Record<string, bigint>> = { s: 1000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n }

/** Begins the parameters that name a property. */
const PROPERTY = 'property.'

/** A query string that cannot be used; the message names every parameter that is wrong. */
export class BadQuery extends Error {
  override readonly name: string = 'BadQuery'
}

/**
 * Reads the parameters of one query string and remembers what is wrong, to say it all at once. A parameter that nobody
 * asked for is wrong too: a misspelt filter would answer with everything.
 */
export class QueryParameters {
  readonly #query: URLSearchParams
  readonly #problems: string[] = []
  readonly #known = new Set<string>()
  readonly #nowMs: number

  /** @param nowMs - Milliseconds since the Unix epoch, for times that count back from now. */
  constructor(query: URLSearchParams, nowMs: number) {
    this.#query = query
    this.#nowMs = nowMs
  }

  /** @throws {@link BadQuery} when anything was wrong. */
  check(): void {
    for (const name of new Set(this.#query.keys())) {
      if (!this.#known.has(name))
        this.#problems.push(`${name}: unknown, expected ${[...this.#known].join(', ')}`)
    }
    if (this.#problems.length > 0) throw new BadQuery(this.#problems.join('; '))
  }

  /** Adds a problem of parameters that do not go together. */
  refuse(problem: string): void {
    this.#problems.push(problem)
  }

  text(name: string): string | undefined {
    this.#known.add(name)
    const values = this.#query.getAll(name)
    if (values.length > 1) this.#problems.push(`${name}: given more than once`)
    return values[0] === '' ? undefined : values[0]
  }

  /** A target, whole or by its beginning with a `*` at the end. */
  target(): string | undefined {
    return this.parsed('target', TEXT_PATTERN_EXPECTED, (text) =>
      parseTextPattern(text) === undefined ? undefined : text,
    )
  }

  uuid(name: string): string | undefined {
    return this.#parse(name, (text) => parseUuid(text, name))
  }

  /** RFC 3339, nanoseconds since the Unix epoch, or a stretch back from now: `-5m`. */
  time(name: string): bigint | undefined {
    return this.#parse(name, (text) => {
      const [, amount, unit] = /^-(\d{1,9})([smhd])$/.exec(text) ?? []
      if (amount === undefined || unit === undefined) return parseNanoseconds(text, name)
      return (BigInt(this.#nowMs) - BigInt(amount) * MS_PER[unit]!) * 1_000_000n
    })
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    return this.parsed(name, `expected ${values.join(' or ')}`, (text) =>
      values.find((value) => value === text),
    )
  }

  whole(name: string, minimum: number, maximum: number): number | undefined {
    return this.parsed(name, `expected a whole number from ${minimum} to ${maximum}`, (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
      return value >= minimum && value <= maximum ? value : undefined
    })
  }

  limit(): number {
    return this.whole('limit', 1, MAX_LIMIT) ?? DEFAULT_LIMIT
  }

  /** A level by name or number. */
  level(name: string): number | undefined {
    return this.parsed(
      name,
      `expected one of ${LEVEL_NAMES.slice(1).join(', ')} or a number from 1 to 6`,
      (text) => {
        const lower = text.toLowerCase()
        const level = /^[1-6]$/.test(text)
          ? Number(text)
          : LEVEL_NAMES.indexOf(lower === 'warning' ? 'warn' : (lower as LevelName))
        return level > 0 ? level : undefined
      },
    )
  }

  /** Milliseconds with up to six decimals, in nanoseconds. */
  milliseconds(name: string): bigint | undefined {
    return this.parsed(name, 'expected a number of milliseconds', (text) => {
      const [, whole, decimals = ''] = /^(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text) ?? []
      return whole === undefined ? undefined : BigInt(whole) * 1_000_000n + BigInt(decimals.padEnd(6, '0'))
    })
  }

  /** What `parse` makes of the parameter; `undefined` from it means that the text is wrong. */
  parsed<T>(name: string, expected: string, parse: (text: string) => T | undefined): T | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = parse(text)
    if (value === undefined) this.#problems.push(`${name}: ${expected}`)
    return value
  }

  /** Values that properties must have: `property.region=eu`. */
  properties(): Readonly<Record<string, string>> | undefined {
    const wanted = new Map<string, string>()
    for (const name of this.#query.keys()) {
      const key = name.startsWith(PROPERTY) ? name.slice(PROPERTY.length) : ''
      if (key === '' || wanted.has(key)) continue
      this.text(name)
      wanted.set(key, this.#query.get(name) ?? '')
    }
    return wanted.size === 0 ? undefined : Object.fromEntries(wanted)
  }

  /** Texts with commas between them. */
  list(name: string): readonly string[] | undefined {
    return this.parsed(name, 'expected names with commas between them', (text) => {
      const names = text.split(',')
      return names.includes('') ? undefined : names
    })
  }

  /** The parameters that all queries of events share, cursor and order left to the caller. */
  eventQuery(): Omit<EventQuery, 'cursor' | 'order'> {
    return {
      processId: this.uuid('process_id'),
      streamId: this.uuid('stream_id'),
      sinceNs: this.time('since'),
      untilNs: this.time('until'),
      limit: this.limit(),
    }
  }

  order(): EventQuery['order'] {
    return this.oneOf('order', ['newest', 'oldest'])
  }

  cursor(): EventQuery['cursor'] {
    return this.parsed('cursor', 'expected a next_cursor of an earlier answer', parseCursor)
  }

  /** The cursor of lists in order of insertion. */
  insertedAfter(): { readonly insertTimeMs: number; readonly id: string } | undefined {
    return this.parsed('cursor', 'expected a next_cursor of an earlier answer', (text) => {
      const [, time, id] = /^(\d{1,15})_([0-9a-f-]{36})$/.exec(text) ?? []
      return time === undefined || id === undefined ? undefined : { insertTimeMs: Number(time), id }
    })
  }

  #parse<T>(name: string, parse: (text: string) => T): T | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof TelemetryError)) throw error
      this.#problems.push(`${name}: ${error.message}`)
      return undefined
    }
  }
}
