import { type DecodedProperties, readMeasures } from 'micromegas/wire'
import { compare } from '../nanoseconds.ts'
import {
  type MeasureQuery,
  measureMatcher,
  type QueryContext,
  readRows,
  selectBlocks,
} from './event-query.ts'

/** The values of one metric of one process. */
export interface MeasureSummary {
  readonly processId: string
  readonly exe: string
  readonly name: string
  readonly unit: string
  readonly target: string
  /** The values of the properties that were asked for; one that an event has not is left out. */
  readonly group: Readonly<Record<string, string>>
  /** Values, those that are no number included. */
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
  readonly mean: number
  /** The latest value. */
  readonly last: number
  /** Nanoseconds since the Unix epoch. */
  readonly lastTimeNs: bigint
}

export interface MeasureSummaries {
  /** By program, then by name. */
  readonly rows: readonly MeasureSummary[]
  /** False when there was more than one answer may cover: narrow the time or the process. */
  readonly complete: boolean
  readonly unreadableBlocks: number
}

/** Decompressed bytes read for one answer. */
const BUDGET_BYTES = 256 * 1024 * 1024
const MAX_GROUPS = 10_000

export interface MeasureSummaryQuery extends Omit<MeasureQuery, 'limit' | 'order' | 'cursor'> {
  /** Keys of properties: values that differ in one of them are summed up apart. @defaultValue none */
  readonly groupBy?: readonly string[] | undefined
}

interface Group {
  processId: string
  exe: string
  name: string
  unit: string
  target: string
  group: Readonly<Record<string, string>>
  count: number
  sum: number
  min: number
  max: number
  last: number
  lastTimeNs: bigint
}

/** Sums up metrics by process, name, unit and target; the newest blocks first. */
export async function summarizeMeasures(
  context: QueryContext,
  query: MeasureSummaryQuery,
): Promise<MeasureSummaries> {
  const { catalog, signal } = context
  const { sinceNs, untilNs, groupBy = [] } = query
  const isWanted = measureMatcher(query)
  const sources = (await catalog.sources(selectBlocks(context, 'metrics', query)))
    .filter(
      ({ fromNs, toNs }) =>
        (sinceNs === undefined || toNs >= sinceNs) && (untilNs === undefined || fromNs < untilNs),
    )
    .sort((a, b) => compare(b.toNs, a.toNs))
  const groups = new Map<string, Group>()
  let readBytes = 0
  let complete = true
  let unreadableBlocks = 0
  for (const { block: stored } of sources) {
    if (readBytes >= BUDGET_BYTES) {
      complete = false
      break
    }
    signal?.throwIfAborted()
    const { rows, bytes } = await readRows(catalog, stored, function* ({ process, objects, ticks }) {
      for (const measure of readMeasures(objects(), ticks)) {
        const { timeNs } = measure
        if (sinceNs !== undefined && timeNs < sinceNs) continue
        if (untilNs !== undefined && timeNs >= untilNs) continue
        if (!isWanted(measure)) continue
        const group = chosen(measure.properties, groupBy)
        yield { ...measure, group, processId: process.processId, exe: process.exe }
      }
    })
    readBytes += bytes
    if (rows === undefined) unreadableBlocks += 1
    for (const row of rows ?? []) {
      const key = JSON.stringify([row.processId, row.name, row.unit, row.target, row.group])
      const group = groups.get(key)
      if (group !== undefined) add(group, row)
      else if (groups.size < MAX_GROUPS) groups.set(key, start(row))
      else complete = false
    }
  }
  const rows = [...groups.values()]
    .sort((a, b) => order(a.exe, b.exe) || order(a.processId, b.processId) || order(a.name, b.name))
    .map((group) => ({ ...group, mean: group.sum / group.count }))
  return { rows, complete, unreadableBlocks }
}

type Row = Omit<Group, 'count' | 'sum' | 'min' | 'max' | 'last' | 'lastTimeNs'> & {
  value: number
  timeNs: bigint
}

function start({ processId, exe, name, unit, target, group, value, timeNs }: Row): Group {
  const values = { count: 1, sum: value, min: value, max: value, last: value, lastTimeNs: timeNs }
  return { processId, exe, name, unit, target, group, ...values }
}

const NO_GROUP: Readonly<Record<string, string>> = Object.freeze({})

function chosen(properties: DecodedProperties, keys: readonly string[]): Readonly<Record<string, string>> {
  if (keys.length === 0) return NO_GROUP
  return Object.fromEntries(
    keys.flatMap((key) => (Object.hasOwn(properties, key) ? [[key, properties[key]!]] : [])),
  )
}

function add(group: Group, { value, timeNs }: Row): void {
  group.count += 1
  group.sum += value
  group.min = Math.min(group.min, value)
  group.max = Math.max(group.max, value)
  if (timeNs >= group.lastTimeNs) {
    group.last = value
    group.lastTimeNs = timeNs
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
