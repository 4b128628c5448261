import { dynamicType, fixedType, referenceType, type UserDefinedType } from '../../transit/reflection.ts'

/**
 * The record layouts of each stream kind. The order of an array is the type index written before each record, so the
 * index constants below belong to these arrays. Layouts are packed; the reference parser takes any offsets.
 */
export interface StreamLayout {
  readonly dependencies: readonly UserDefinedType[]
  readonly objects: readonly UserDefinedType[]
}

const stringDependency = dynamicType('StaticStringDependency')
const propertySetDependency = dynamicType('PropertySetDependency')
const property = fixedType('Property', { name: 'ref', value: 'ref' })

/** Dependency type indices that log and metrics streams share. */
export const METADATA_INDEX = 1
export const PROPERTY_SET_INDEX = 2

export const LOG_STATIC = 0
export const LOG_STRING = 1
export const LOG_TAGGED = 2
export const LOG_INTEROP = 3
export const LOG_TAGGED_INTEROP = 4

export const LOG_LAYOUT: StreamLayout = {
  dependencies: [
    stringDependency,
    fixedType('LogMetadataRecord', {
      id: 'u64',
      fmt_str: 'ref',
      target: 'ref',
      module_path: 'ref',
      file: 'ref',
      line: 'u32',
      level: 'u32',
    }),
    propertySetDependency,
    property,
  ],
  objects: [
    fixedType('LogStaticStrEvent', { desc: 'ref', time: 'i64' }),
    dynamicType('LogStringEventV2'),
    dynamicType('TaggedLogString'),
    dynamicType('LogStringInteropEventV3'),
    dynamicType('TaggedLogInteropEvent'),
    referenceType('StaticStringRef'),
  ],
}

export const METRIC_INTEGER = 0
export const METRIC_FLOAT = 1
export const METRIC_TAGGED_FLOAT = 2
export const METRIC_TAGGED_INTEGER = 3

export const METRICS_LAYOUT: StreamLayout = {
  dependencies: [
    stringDependency,
    fixedType('MetricMetadataDependency', {
      id: 'u64',
      name: 'ref',
      unit: 'ref',
      target: 'ref',
      file: 'ref',
      line: 'u32',
      lod: 'u32',
    }),
    propertySetDependency,
    property,
  ],
  objects: [
    fixedType('IntegerMetricEvent', { desc: 'ref', value: 'u64', time: 'i64' }),
    fixedType('FloatMetricEvent', { desc: 'ref', value: 'f64', time: 'i64' }),
    fixedType('TaggedFloatMetricEvent', { desc: 'ref', properties: 'ref', value: 'f64', time: 'i64' }),
    fixedType('TaggedIntegerMetricEvent', { desc: 'ref', properties: 'ref', value: 'u64', time: 'i64' }),
  ],
}

export const SPAN_INDEX = 1
export const SPAN_LOCATION_INDEX = 2

/** Begin and end of a kind are neighbours: the end's index is the begin's plus one. */
export const THREAD_SPAN_BEGIN = 0
export const THREAD_NAMED_SPAN_BEGIN = 2
export const ASYNC_SPAN_BEGIN = 4
export const ASYNC_NAMED_SPAN_BEGIN = 6
export const THREAD_TAGGED_SPAN_END = 8
export const ASYNC_TAGGED_SPAN_END = 9

export const SPAN_PROPERTY_SET_INDEX = 3

const threadSpan = { thread_span_desc: 'ref', time: 'i64' } as const
const threadNamedSpan = { thread_span_location: 'ref', name: 'ref', time: 'i64' } as const
const asyncSpan = {
  span_desc: 'ref',
  span_id: 'u64',
  parent_span_id: 'u64',
  time: 'i64',
  depth: 'u32',
} as const
const asyncNamedSpan = {
  span_location: 'ref',
  name: 'ref',
  span_id: 'u64',
  parent_span_id: 'u64',
  time: 'i64',
  depth: 'u32',
} as const

export const CPU_LAYOUT: StreamLayout = {
  dependencies: [
    stringDependency,
    fixedType('SpanRecord', {
      id: 'u64',
      name: 'ref',
      target: 'ref',
      module_path: 'ref',
      file: 'ref',
      line: 'u32',
      lod: 'u32',
    }),
    fixedType('SpanLocationRecord', {
      id: 'u64',
      target: 'ref',
      module_path: 'ref',
      file: 'ref',
      line: 'u32',
      lod: 'u32',
    }),
    propertySetDependency,
    property,
  ],
  objects: [
    fixedType('BeginThreadSpanEvent', threadSpan),
    fixedType('EndThreadSpanEvent', threadSpan),
    fixedType('BeginThreadNamedSpanEvent', threadNamedSpan),
    fixedType('EndThreadNamedSpanEvent', threadNamedSpan),
    fixedType('BeginAsyncSpanEvent', asyncSpan),
    fixedType('EndAsyncSpanEvent', asyncSpan),
    fixedType('BeginAsyncNamedSpanEvent', asyncNamedSpan),
    fixedType('EndAsyncNamedSpanEvent', asyncNamedSpan),
    fixedType('TaggedEndThreadSpanEvent', { thread_span_desc: 'ref', properties: 'ref', time: 'i64' }),
    fixedType('TaggedEndAsyncSpanEvent', {
      span_desc: 'ref',
      properties: 'ref',
      span_id: 'u64',
      parent_span_id: 'u64',
      time: 'i64',
      depth: 'u32',
    }),
  ],
}

export const IMAGE_LAYOUT: StreamLayout = { dependencies: [], objects: [dynamicType('ImageEvent')] }
