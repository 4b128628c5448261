import { memberAsObject, memberAsProperties, memberAsString, memberAsU32 } from '../../transit/coercions.ts'
import type { TransitObject } from '../../transit/value.ts'
import { type DecodedProperties, propertiesOf } from './properties.ts'
import type { SpanPlace } from './span-place.ts'

/** What the name of a span event type says about its records. */
export interface SpanEventType {
  readonly kind: 'thread' | 'async'
  readonly phase: 'begin' | 'end'
  /** True: the event brings the name and refers to a location. False: it refers to a descriptor that has both. */
  readonly isNamed: boolean
  readonly hasProperties: boolean
}

/**
 * The span events of `cpu` streams. Source: `thread_block_processor` and `async_block_processing` of the crate
 * `micromegas-analytics` 0.33. The `Dyn` types differ from the named ones in how the name is stored only, which the
 * stream's metadata says.
 */
export const SPAN_EVENT_TYPES: ReadonlyMap<string, SpanEventType> = new Map([
  ...typesOf('thread', 'Thread'),
  ...typesOf('async', 'Async'),
])

function typesOf(kind: 'thread' | 'async', word: string): readonly (readonly [string, SpanEventType])[] {
  const begin = { kind, phase: 'begin', hasProperties: false } as const
  const end = { kind, phase: 'end', hasProperties: false } as const
  return [
    [`Begin${word}SpanEvent`, { ...begin, isNamed: false }],
    [`Begin${word}NamedSpanEvent`, { ...begin, isNamed: true }],
    [`Begin${word}DynNamedSpanEvent`, { ...begin, isNamed: true }],
    [`End${word}SpanEvent`, { ...end, isNamed: false }],
    [`End${word}NamedSpanEvent`, { ...end, isNamed: true }],
    [`End${word}DynNamedSpanEvent`, { ...end, isNamed: true }],
    [`TaggedEnd${word}SpanEvent`, { ...end, isNamed: false, hasProperties: true }],
    [`TaggedEnd${word}NamedSpanEvent`, { ...end, isNamed: true, hasProperties: true }],
  ]
}

/** What the span of an event measures. */
export function placeOf(event: TransitObject, { kind, isNamed }: SpanEventType): SpanPlace {
  const member = isNamed ? 'span_location' : 'span_desc'
  const desc = memberAsObject(event, kind === 'thread' ? `thread_${member}` : member)
  return {
    name: memberAsString(isNamed ? event : desc, 'name'),
    target: memberAsString(desc, 'target'),
    filename: memberAsString(desc, 'file'),
    line: memberAsU32(desc, 'line'),
  }
}

/** Properties come with the end of a span; other events have none. */
export function endPropertiesOf(event: TransitObject, { hasProperties }: SpanEventType): DecodedProperties {
  return propertiesOf(hasProperties ? memberAsProperties(event, 'properties') : undefined)
}
