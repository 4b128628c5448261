import { MAX_PROPERTIES, MAX_PROPERTY_CHARS, MAX_PROPERTY_SETS, MAX_SET_CHARS } from '../limits.ts'
import { BoundedTable, TableBound } from './bounded-table.ts'
import { head } from './bounded-text.ts'
import { detachedText } from './detached-text.ts'
import { renderValue } from './render-value.ts'

/**
 * Properties as users pass them. Values that are no strings are rendered: numbers, booleans and bigints as `String`
 * does, dates as ISO 8601, errors with their stack, other objects as bounded JSON; `undefined` and `null` leave the
 * property out.
 */
export type Properties = Readonly<Record<string, unknown>>

/** UTF-16 code units of a set that is remembered; larger ones would fill the memory before they fill the table. */
const MAX_INTERNED_CHARS = 1024

/**
 * Keys that would override a column of a tagged metric. They are sent as `_name`, `_unit` and `_target`.
 */
const METRIC_COLUMNS: ReadonlySet<string> = new Set(['name', 'unit', 'target'])
/** Keys that would override a column of a `TaggedLogString`; such sets travel in an event type that overrides nothing. */
const LOG_COLUMNS: ReadonlySet<string> = new Set(['level', 'target'])

const SET_BRAND: unique symbol = Symbol.for('micromegas.property-set')

type Entries = readonly (readonly [name: string, value: string])[]

/**
 * An immutable set of string properties to tag logs, metrics and spans with, made by {@link propertySet}. Sets of the same
 * content are one object, as long as the table of them has room.
 */
export class PropertySet {
  /** Tells a property set of another copy of this package from a plain object. */
  readonly [SET_BRAND] = true
  /**
   * Name and value pairs, in the order given; names are distinct.
   *
   * @internal
   */
  readonly entries: Entries
  /**
   * True when a name is `level` or `target`.
   *
   * @internal
   */
  readonly overridesLogColumns: boolean
  // Where the set is listed in the open block of each stream: the block's epoch and the id in it, as bits.
  /** @internal */
  logEpoch = 0
  /** @internal */
  logIdBits = 0
  /** @internal */
  metricsEpoch = 0
  /** @internal */
  metricsIdBits = 0
  /** @internal */
  cpuEpoch = 0
  /** @internal */
  cpuIdBits = 0
  #metricEntries: Entries | undefined

  /** @internal */
  constructor(entries: Entries) {
    this.entries = entries
    this.overridesLogColumns = entries.some(([name]) => LOG_COLUMNS.has(name))
  }

  /**
   * The entries under names that override no metric column.
   *
   * @internal
   */
  get metricEntries(): Entries {
    this.#metricEntries ??= this.entries.some(([name]) => METRIC_COLUMNS.has(name))
      ? renameColumns(this.entries)
      : this.entries
    return this.#metricEntries
  }

  /** The properties, by name. */
  toJSON(): Record<string, string> {
    return Object.fromEntries(this.entries)
  }
}

/** Its overflows: sets that were used without being remembered. */
export const propertySetBound: TableBound = new TableBound(MAX_PROPERTY_SETS)
const table = new BoundedTable<string, PropertySet>(propertySetBound)

/**
 * The property set of the given content. Make it once, outside the code that records: an event tagged with a set costs
 * little more than one without.
 *
 * @param properties - At most 128 properties, names and values up to 8192 characters, 65536 in all;
 * what is beyond is cut.
 * Names `name`, `unit` and `target` become `_name`, `_unit` and `_target` on metrics, whose columns they would override.
 */
export function propertySet(properties: Properties | PropertySet): PropertySet {
  if (isPropertySet(properties)) return properties
  const entries: Entry[] = []
  if (readEntries(properties, entries) > MAX_INTERNED_CHARS) return new PropertySet(entries)
  const key = keyOf(entries)
  const detached = () => entries.map(([name, value]) => [detachedText(name), detachedText(value)] as const)
  return table.getOrMake(key, () => new PropertySet(detached())) ?? new PropertySet(entries)
}

/** True for the sets of any copy of this package: the ESM and the CommonJS build may meet in one process. */
export function isPropertySet(value: unknown): value is PropertySet {
  try {
    return value instanceof PropertySet || (value as { [SET_BRAND]?: unknown } | null)?.[SET_BRAND] === true
  } catch {
    return false // a proxy that refuses to be looked at
  }
}

/**
 * The properties of one event, which are not likely to come again: the set is not remembered. Limits are those of
 * {@link propertySet}.
 */
export function eventPropertySet(properties: Properties): PropertySet {
  const entries: Entry[] = []
  readEntries(properties, entries)
  return new PropertySet(entries)
}

type Entry = [name: string, value: string]

/** Adds what is readable to `entries`. @returns The UTF-16 code units of their names and values. */
function readEntries(properties: Properties, entries: Entry[]): number {
  let chars = 0
  if (typeof properties !== 'object') return chars // the keys of a long text would be its characters
  try {
    for (const name of Object.keys(properties)) {
      if (entries.length === MAX_PROPERTIES) break
      const value = readProperty(properties, name)
      if (value === undefined) continue
      const shownName = head(name, MAX_PROPERTY_CHARS)
      const more = chars + shownName.length + value.length
      if (more > MAX_SET_CHARS) break
      entries.push([shownName, value])
      chars = more
    }
  } catch {
    // Only a hostile proxy gets here; the event keeps what was readable.
  }
  return chars
}

/** The same for the same entries only. */
function keyOf(entries: readonly Entry[]): string {
  return entries.map(([name, value]) => `${name.length}:${name}${value.length}:${value}`).join('')
}

function readProperty(properties: Properties, name: string): string | undefined {
  let value: unknown
  try {
    value = properties[name]
  } catch (error) {
    return renderValue(error, MAX_PROPERTY_CHARS)
  }
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return head(value, MAX_PROPERTY_CHARS)
  return renderValue(value, MAX_PROPERTY_CHARS)
}

function renameColumns(entries: Entries): Entries {
  const taken = new Set(entries.map(([name]) => name))
  return entries.map(([name, value]) => {
    if (!METRIC_COLUMNS.has(name)) return [name, value] as const
    let renamed = `_${name}`
    while (taken.has(renamed)) renamed = `_${renamed}`
    taken.add(renamed)
    return [renamed, value] as const
  })
}
