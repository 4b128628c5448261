import { parseTextPattern, parseUuid, TEXT_PATTERN_EXPECTED } from 'micromegas/wire'
import { type ImageQuery, type LogQuery, MAX_LIMIT, type MeasureQuery } from './event-query.ts'
import type { BlockQuery, ProcessQuery } from './inventory.ts'
import type { MeasureSummaryQuery } from './measure-summary.ts'
import type { SpanQuery } from './span-query.ts'

/** A query whose cursor is the text that the last page ended with. */
export type Paged<Query> = Omit<Query, 'cursor'> & { readonly cursor?: string | undefined }

/** Which values one member of a query takes. */
interface Rule {
  readonly expected: string
  readonly isRange?: true
  readonly takes: (value: unknown) => boolean
}

/** One rule for each member: the compiler finds a member without. */
type QueryRules<Query> = { readonly [Name in keyof Query]-?: Rule }

const TEXT: Rule = { expected: 'expected a text', takes: (value) => typeof value === 'string' }
/** Names may hold a `*`, as routes do; in a target one within it is a mistake that would find nothing. */
const TARGET: Rule = {
  expected: TEXT_PATTERN_EXPECTED,
  takes: (value) => typeof value === 'string' && parseTextPattern(value) !== undefined,
}
const ID: Rule = { expected: 'expected a UUID with hyphens, in lower case', takes: isUuid }
const TIME: Rule = {
  expected: 'expected a bigint of nanoseconds since the Unix epoch',
  takes: (value) => typeof value === 'bigint',
}
const LIMIT = whole(1, MAX_LIMIT)
const AFTER: Rule = { expected: 'expected the next of an earlier page', takes: isInserted }

const PLACE = { processId: ID, streamId: ID }
const PROPERTIES: Rule = {
  expected: 'expected an object of texts',
  takes: (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text) => typeof text === 'string'),
}
const EVENTS = {
  ...PLACE,
  sinceNs: TIME,
  untilNs: TIME,
  limit: LIMIT,
  order: oneOf('newest', 'oldest'),
  cursor: TEXT,
}

export const LOG_RULES: QueryRules<Paged<LogQuery>> = {
  ...EVENTS,
  maxLevel: whole(1, 6),
  target: TARGET,
  properties: PROPERTIES,
  search: TEXT,
}
export const MEASURE_RULES: QueryRules<Paged<MeasureQuery>> = {
  ...EVENTS,
  name: TEXT,
  target: TARGET,
  properties: PROPERTIES,
  search: TEXT,
}
export const SUMMARY_RULES: QueryRules<MeasureSummaryQuery> = {
  ...PLACE,
  sinceNs: TIME,
  untilNs: TIME,
  name: TEXT,
  target: TARGET,
  properties: PROPERTIES,
  search: TEXT,
  groupBy: {
    expected: 'expected an array of texts',
    takes: (value) => Array.isArray(value) && value.every((key) => typeof key === 'string'),
  },
}
export const SPAN_RULES: QueryRules<Paged<SpanQuery>> = {
  ...EVENTS,
  order: oneOf('newest', 'oldest', 'longest'),
  kind: oneOf('thread', 'async'),
  properties: PROPERTIES,
  name: TEXT,
  target: TARGET,
  minDurationNs: {
    expected: 'expected a bigint of nanoseconds',
    takes: (value) => typeof value === 'bigint',
  },
}
export const IMAGE_RULES: QueryRules<Paged<ImageQuery>> = { ...EVENTS, name: TEXT }
export const PROCESS_RULES: QueryRules<ProcessQuery> = { exe: TEXT, limit: LIMIT, after: AFTER }
export const BLOCK_RULES: QueryRules<BlockQuery> = {
  ...PLACE,
  state: oneOf('unchecked', 'waiting', 'readable', 'unreadable'),
  limit: LIMIT,
  after: AFTER,
}

/**
 * Refuses what the HTTP API refuses, all at once: a member that nobody asked for is wrong too, as a misspelt filter would
 * answer with everything.
 *
 * @returns The query.
 * @throws TypeError; RangeError when only numbers are out of their range.
 */
export function checkQuery<Query extends object>(query: Query, rules: QueryRules<Query>): Query {
  const known: Readonly<Record<string, Rule>> = rules
  const problems: string[] = []
  let isRange = true
  for (const [name, value] of Object.entries(query)) {
    const rule = Object.hasOwn(known, name) ? known[name] : undefined
    if (rule !== undefined && (value === undefined || rule.takes(value))) continue
    const expected = rule?.expected ?? `unknown, expected ${Object.keys(known).join(', ')}`
    problems.push(`${name}: ${expected}`)
    isRange &&= rule?.isRange === true
  }
  if (problems.length === 0) return query
  throw new (isRange ? RangeError : TypeError)(problems.join('; '))
}

function whole(minimum: number, maximum: number): Rule {
  return {
    expected: `expected a whole number from ${minimum} to ${maximum}`,
    isRange: true,
    takes: (value) => Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum,
  }
}

function oneOf(...values: readonly string[]): Rule {
  return {
    expected: `expected ${values.join(' or ')}`,
    takes: (value) => typeof value === 'string' && values.includes(value),
  }
}

function isUuid(value: unknown): boolean {
  try {
    // As items are named here; another spelling would find nothing.
    return typeof value === 'string' && parseUuid(value, 'id') === value
  } catch {
    return false
  }
}

function isInserted(value: unknown): boolean {
  const { insertTimeMs, id } = Object(value) as { insertTimeMs?: unknown; id?: unknown }
  return typeof insertTimeMs === 'number' && typeof id === 'string'
}
