import {
  memberAsF64,
  memberAsI64,
  memberAsObject,
  memberAsProperties,
  memberAsString,
  memberAsU64,
} from '../../transit/coercions.ts'
import type { PropertyList, TransitObject } from '../../transit/value.ts'
import type { EventOptions } from '../event-options.ts'
import { type DecodedProperties, propertiesOf } from './properties.ts'
import type { TickConverter } from './tick-converter.ts'

/** One row of the `measures` view. */
export interface DecodedMeasure {
  /** Nanoseconds since the Unix epoch. */
  readonly timeNs: bigint
  readonly name: string
  readonly unit: string
  /** Integers above 2^53 lose their last digits, as in the view. */
  readonly value: number
  readonly target: string
  /** Frozen, and shared by the events of a block that have the same property set. */
  readonly properties: DecodedProperties
}

/** Unit of integer metrics that count ticks; they are shown in seconds. */
const TICKS_UNIT = 'ticks'

/**
 * Reads the metric events of a block as the reference's `measures` view does.
 *
 * On tagged events the properties `name`, `unit` and `target` replace the descriptor's. An integer metric whose unit is
 * then `ticks` is converted to `seconds`.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` from the iteration when an event cannot be converted.
 */
export function* readMeasures(
  objects: Iterable<TransitObject>,
  ticks: TickConverter,
  options: EventOptions = {},
): Generator<DecodedMeasure, void, undefined> {
  let index = 0
  for (const event of objects) {
    const measure = toMeasure(event, ticks)
    if (measure === undefined) options.onUnknown?.(event.typeName, index)
    else yield measure
    index++
  }
}

function toMeasure(event: TransitObject, ticks: TickConverter): DecodedMeasure | undefined {
  switch (event.typeName) {
    case 'IntegerMetricEvent':
      return integerMeasure(event, ticks, undefined)
    case 'TaggedIntegerMetricEvent':
      return integerMeasure(event, ticks, memberAsProperties(event, 'properties'))
    case 'FloatMetricEvent':
      return measure(event, memberAsF64(event, 'value'), ticks, undefined)
    case 'TaggedFloatMetricEvent':
      return measure(event, memberAsF64(event, 'value'), ticks, memberAsProperties(event, 'properties'))
    default:
      return undefined
  }
}

function integerMeasure(
  event: TransitObject,
  ticks: TickConverter,
  properties: PropertyList | undefined,
): DecodedMeasure {
  const value = memberAsU64(event, 'value')
  const plain = measure(event, Number(value), ticks, properties)
  if (plain.unit !== TICKS_UNIT) return plain
  return { ...plain, unit: 'seconds', value: ticks.durationToSeconds(BigInt.asIntN(64, value)) }
}

function measure(
  event: TransitObject,
  value: number,
  ticks: TickConverter,
  properties: PropertyList | undefined,
): DecodedMeasure {
  const desc = memberAsObject(event, 'desc')
  let name = memberAsString(desc, 'name')
  let unit = memberAsString(desc, 'unit')
  let target = memberAsString(desc, 'target')
  for (const [key, text] of properties ?? []) {
    if (key === 'name') name = text
    if (key === 'unit') unit = text
    if (key === 'target') target = text
  }
  const timeNs = ticks.toNanoseconds(memberAsI64(event, 'time'))
  return { timeNs, name, unit, value, target, properties: propertiesOf(properties) }
}
