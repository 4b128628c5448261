import {
  memberAsI64,
  memberAsObject,
  memberAsProperties,
  memberAsString,
  memberAsU32,
} from '../../transit/coercions.ts'
import { formatError } from '../../transit/format-error.ts'
import type { PropertyList, TransitObject } from '../../transit/value.ts'
import type { EventOptions } from '../event-options.ts'
import { type DecodedProperties, propertiesOf } from './properties.ts'
import { TemplateRenderer } from './template-renderer.ts'
import type { TickConverter } from './tick-converter.ts'

/** One row of the `log_entries` view. */
export interface DecodedLogEntry {
  /** Nanoseconds since the Unix epoch. */
  readonly timeNs: bigint
  /** 1 fatal, 2 error, 3 warn, 4 info, 5 debug, 6 trace; a producer may send any other number. */
  readonly level: number
  readonly target: string
  readonly msg: string
  /** Frozen, and shared by the events of a block that have the same property set. */
  readonly properties: DecodedProperties
}

/** Levels a property may name, in the only spelling the reference accepts. */
const LEVELS: ReadonlyMap<string, number> = new Map([
  ['fatal', 1],
  ['error', 2],
  ['warning', 3],
  ['info', 4],
  ['debug', 5],
  ['trace', 6],
])

/**
 * Reads the log events of a block as the reference's `log_entries` view does.
 *
 * On tagged events, interop ones apart, a property `target` replaces the target and a property `level` the level.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` from the iteration when an event cannot be converted, such as one with
 * a property `level` that is no level name: the reference then loses every row of the block. Also when templates render
 * to messages out of all proportion to the block.
 */
export function* readLogEntries(
  objects: Iterable<TransitObject>,
  ticks: TickConverter,
  options: EventOptions = {},
): Generator<DecodedLogEntry, void, undefined> {
  const templates = new TemplateRenderer()
  let index = 0
  for (const event of objects) {
    const entry = toLogEntry(event, ticks, templates)
    if (entry === undefined) options.onUnknown?.(event.typeName, index)
    else yield entry
    index++
  }
}

function toLogEntry(
  event: TransitObject,
  ticks: TickConverter,
  templates: TemplateRenderer,
): DecodedLogEntry | undefined {
  switch (event.typeName) {
    case 'LogStaticStrEvent': {
      const desc = memberAsObject(event, 'desc')
      return entry(event, desc, memberAsString(desc, 'fmt_str'), ticks)
    }
    case 'LogStringEvent':
    case 'LogStringEventV2':
      return entry(event, memberAsObject(event, 'desc'), memberAsString(event, 'msg'), ticks)
    case 'LogStaticStrInteropEvent':
    case 'LogStaticStrInteropEventV2':
    case 'LogStringInteropEventV2':
    case 'LogStringInteropEventV3':
      return entry(event, event, memberAsString(event, 'msg'), ticks)
    case 'TaggedLogInteropEvent': {
      const properties = memberAsProperties(event, 'properties')
      return entry(event, event, memberAsString(event, 'msg'), ticks, properties)
    }
    case 'TaggedLogString':
      return taggedEntry(event, memberAsString(event, 'msg'), ticks)
    case 'TaggedLogStaticStrEvent':
      return taggedEntry(event, memberAsString(memberAsObject(event, 'desc'), 'fmt_str'), ticks)
    case 'TaggedLogTemplateEvent': {
      const template = memberAsString(memberAsObject(event, 'desc'), 'fmt_str')
      return taggedEntry(event, templates.render(template, memberAsProperties(event, 'properties')), ticks)
    }
    default:
      return undefined
  }
}

/**
 * @param source - The record that has the level and the target: the event's descriptor or the event itself.
 */
function entry(
  event: TransitObject,
  source: TransitObject,
  message: string,
  ticks: TickConverter,
  properties?: PropertyList,
): DecodedLogEntry {
  return {
    timeNs: ticks.toNanoseconds(memberAsI64(event, 'time')),
    level: memberAsU32(source, 'level') | 0, // the view's column is a signed 32-bit integer
    target: memberAsString(source, 'target'),
    msg: message,
    properties: propertiesOf(properties),
  }
}

function taggedEntry(event: TransitObject, message: string, ticks: TickConverter): DecodedLogEntry {
  const properties = memberAsProperties(event, 'properties')
  const plain = entry(event, memberAsObject(event, 'desc'), message, ticks, properties)
  let { level, target } = plain
  for (const [name, value] of properties) {
    if (name === 'target') target = value
    if (name === 'level') level = levelOf(value)
  }
  return { ...plain, level, target }
}

function levelOf(name: string): number {
  const level = LEVELS.get(name)
  if (level === undefined) {
    const known = [...LEVELS.keys()].join(', ')
    throw formatError('property level', `${JSON.stringify(name.slice(0, 40))} is none of ${known}`)
  }
  return level
}
