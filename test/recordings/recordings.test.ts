/**
 * What the two SDKs posted, and what the published Rust crates read in it, recorded by `test/conformance/regenerate.ts`:
 * the conformance with the crates, checked without them.
 */
import { expect, test } from 'vitest'
import { expectWellFormedBlocks } from '../conformance/block-rules.ts'
import { decodeHere } from '../conformance/decode-here.ts'
import { type Decoded, parseDecoded } from '../conformance/decoded.ts'
import { eventsByKind } from '../conformance/event-shape.ts'
import { PROCESS, recordHere } from '../conformance/record-here.ts'
import { parseRecording, readFixture } from '../conformance/recording.ts'

/** Every event type the Rust SDK writes. */
const RUST_EVENT_TYPES = [
  'BeginAsyncDynNamedSpanEvent',
  'BeginAsyncNamedSpanEvent',
  'BeginAsyncSpanEvent',
  'BeginThreadDynNamedSpanEvent',
  'BeginThreadNamedSpanEvent',
  'BeginThreadSpanEvent',
  'EndAsyncDynNamedSpanEvent',
  'EndAsyncNamedSpanEvent',
  'EndAsyncSpanEvent',
  'EndThreadDynNamedSpanEvent',
  'EndThreadNamedSpanEvent',
  'EndThreadSpanEvent',
  'FloatMetricEvent',
  'ImageEvent',
  'IntegerMetricEvent',
  'LogStaticStrEvent',
  'LogStaticStrInteropEventV2',
  'LogStringEventV2',
  'LogStringInteropEventV3',
  'TaggedEndAsyncNamedSpanEvent',
  'TaggedEndAsyncSpanEvent',
  'TaggedEndThreadNamedSpanEvent',
  'TaggedEndThreadSpanEvent',
  'TaggedFloatMetricEvent',
  'TaggedIntegerMetricEvent',
  'TaggedLogInteropEvent',
  'TaggedLogStaticStrEvent',
  'TaggedLogString',
  'TaggedLogTemplateEvent',
]

/** Every event type this SDK writes. */
const NODE_EVENT_TYPES = [
  'BeginAsyncNamedSpanEvent',
  'BeginAsyncSpanEvent',
  'BeginThreadNamedSpanEvent',
  'BeginThreadSpanEvent',
  'EndAsyncNamedSpanEvent',
  'EndAsyncSpanEvent',
  'EndThreadNamedSpanEvent',
  'EndThreadSpanEvent',
  'FloatMetricEvent',
  'ImageEvent',
  'IntegerMetricEvent',
  'LogStaticStrEvent',
  'LogStringEventV2',
  'LogStringInteropEventV3',
  'TaggedEndAsyncSpanEvent',
  'TaggedEndThreadSpanEvent',
  'TaggedFloatMetricEvent',
  'TaggedIntegerMetricEvent',
  'TaggedLogInteropEvent',
  'TaggedLogString',
]

test('the readers read what the Rust SDK sent as the Rust crates did, member by member', () => {
  const rust = parseDecoded(readFixture('rust-sdk.decoded'))
  expect(eventTypes(rust)).toEqual(RUST_EVENT_TYPES)
  expect(decodeHere(parseRecording(readFixture('rust-sdk.requests')))).toEqual(rust)
})

test('the readers read what this SDK sent as the Rust crates did, member by member', () => {
  const rust = parseDecoded(readFixture('node-sdk.decoded'))
  expect(eventTypes(rust)).toEqual(NODE_EVENT_TYPES)
  expect(decodeHere(parseRecording(readFixture('node-sdk.requests')))).toEqual(rust)
})

test('this SDK still sends what the Rust crates read', async () => {
  const recording = await recordHere()
  const decoded = decodeHere(recording.requests)
  expect(decoded.errors).toEqual([])
  expect(decoded.processes).toEqual([recording.process])
  expectWellFormedBlocks(decoded)

  const events = eventsByKind(decoded, PROCESS.processId)
  expect(events).toEqual(recording.expected)
  const rust = parseDecoded(readFixture('node-sdk.decoded'))
  // A difference here means that the fixtures are those of another script: record them anew.
  expect(withoutSpanIds(events.cpu)).toEqual(withoutSpanIds(eventsByKind(rust, PROCESS.processId).cpu))
  for (const kind of ['log', 'metrics', 'image'] as const) {
    expect(events[kind]).toEqual(eventsByKind(rust, PROCESS.processId)[kind])
  }
  expect(layouts(decoded)).toEqual(layouts(rust))
})

function eventTypes(decoded: Decoded): string[] {
  const types = decoded.blocks.flatMap((block) => block.events.map((event) => event.typeName))
  return [...new Set(types)].sort()
}

/** The record types of each stream, as they are sent. */
function layouts(decoded: Decoded): Map<string, object> {
  return new Map(
    decoded.streams.map(({ tags, properties, dependenciesMetadata, objectsMetadata }) => [
      tags.join(),
      { properties, dependenciesMetadata, objectsMetadata },
    ]),
  )
}

/** Ids depend on how many spans the process had before, and on its thread. */
function withoutSpanIds(events: readonly object[]): object[] {
  return events.map((event) => ({ ...event, span_id: undefined, parent_span_id: undefined }))
}
