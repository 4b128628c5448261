import { EVENT_READERS } from '../../src/telemetry/decode/event-readers.ts'
import { TickConverter } from '../../src/telemetry/decode/tick-converter.ts'
import { BlockParser, type RecordTypes } from '../../src/transit/parser.ts'
import { dynamicType, fixedType } from '../../src/transit/reflection.ts'
import type { TransitObject } from '../../src/transit/value.ts'
import { type Section, section } from '../transit/section.ts'
import { LOG_STREAM } from './worked-examples.ts'

/** Ticks are nanoseconds since the epoch, so that tests can write small times. */
export const TICKS = new TickConverter({ tscFrequency: 1_000_000_000n, startTicks: 0n, startTimeMicros: 0n })

export function objectsOf(
  types: RecordTypes,
  dependencies: Section,
  objects: Section,
): Iterable<TransitObject> {
  return new BlockParser(types, EVENT_READERS).parse(dependencies.done(), objects.done())
}

/** Writes strings as dependencies with the ids 1, 2, 3 …; `StaticStringDependency` is at index 0 everywhere here. */
export function strings(...texts: readonly string[]): Section {
  const dependencies = section()
  for (const [index, text] of texts.entries())
    dependencies.dynamic(
      0,
      section()
        .u64(index + 1)
        .text(text),
    )
  return dependencies
}

export const LOG_TYPES: RecordTypes = {
  dependenciesMetadata: LOG_STREAM.dependenciesMetadata,
  objectsMetadata: [
    ...LOG_STREAM.objectsMetadata,
    fixedType('LogStaticStrInteropEvent', { time: 'i64', level: 'u32', target: 'ref', msg: 'ref' }),
    dynamicType('LogStringEvent'),
    dynamicType('LogStringInteropEventV2'),
    {
      name: 'StringId',
      size: 16,
      members: [{ name: 'id', typeName: 'u64', offset: 0, size: 8, isReference: true }],
      isReference: true,
    },
    fixedType('LogStaticStrInteropEventV2', { time: 'i64', level: 'u32', target: 'ref', msg: 'ref' }),
    fixedType('TaggedLogStaticStrEvent', { desc: 'ref', properties: 'ref', time: 'i64' }),
    fixedType('TaggedLogTemplateEvent', { desc: 'ref', properties: 'ref', time: 'i64' }),
  ],
}

const span = {
  id: 'u64',
  name: 'ref',
  target: 'ref',
  module_path: 'ref',
  file: 'ref',
  line: 'u32',
  lod: 'u32',
} as const
const location = {
  id: 'u64',
  target: 'ref',
  module_path: 'ref',
  file: 'ref',
  line: 'u32',
  lod: 'u32',
} as const
const thread = { thread_span_desc: 'ref', time: 'i64' } as const
const threadNamed = { thread_span_location: 'ref', name: 'ref', time: 'i64' } as const
const ids = { span_id: 'u64', parent_span_id: 'u64', time: 'i64', depth: 'u32' } as const

export const CPU_TYPES: RecordTypes = {
  dependenciesMetadata: [
    dynamicType('StaticStringDependency'),
    fixedType('SpanRecord', span),
    fixedType('SpanLocationRecord', location),
    dynamicType('PropertySetDependency'),
    fixedType('Property', { name: 'ref', value: 'ref' }),
  ],
  objectsMetadata: [
    fixedType('BeginThreadSpanEvent', thread),
    fixedType('EndThreadSpanEvent', thread),
    fixedType('BeginThreadNamedSpanEvent', threadNamed),
    fixedType('EndThreadNamedSpanEvent', threadNamed),
    fixedType('BeginAsyncSpanEvent', { span_desc: 'ref', ...ids }),
    fixedType('EndAsyncSpanEvent', { span_desc: 'ref', ...ids }),
    fixedType('BeginAsyncNamedSpanEvent', { span_location: 'ref', name: 'ref', ...ids }),
    fixedType('EndAsyncNamedSpanEvent', { span_location: 'ref', name: 'ref', ...ids }),
    fixedType('BeginThreadDynNamedSpanEvent', threadNamed),
    fixedType('EndThreadDynNamedSpanEvent', threadNamed),
    fixedType('BeginAsyncDynNamedSpanEvent', { span_location: 'ref', name: 'ref', ...ids }),
    fixedType('EndAsyncDynNamedSpanEvent', { span_location: 'ref', name: 'ref', ...ids }),
    fixedType('TaggedEndThreadSpanEvent', { thread_span_desc: 'ref', properties: 'ref', time: 'i64' }),
    fixedType('TaggedEndThreadNamedSpanEvent', {
      thread_span_location: 'ref',
      name: 'ref',
      properties: 'ref',
      time: 'i64',
    }),
    fixedType('TaggedEndAsyncSpanEvent', { span_desc: 'ref', properties: 'ref', ...ids }),
    fixedType('TaggedEndAsyncNamedSpanEvent', {
      span_location: 'ref',
      name: 'ref',
      properties: 'ref',
      ...ids,
    }),
  ],
}
