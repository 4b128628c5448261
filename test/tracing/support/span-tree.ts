import { expect } from 'vitest'
import { pairAsyncSpans } from '../../../src/telemetry/decode/async-spans.ts'
import type { SpanRow } from '../../../src/telemetry/decode/span-place.ts'
import type { Recording } from './recording.ts'

/** The spans of a recording by name; every event has its other half. */
export function spansOf(recording: Recording): Map<string, SpanRow> {
  const { spans, unmatched } = pairAsyncSpans(recording.asyncEvents())
  expect(unmatched).toEqual([])
  return new Map(spans.map((row) => [row.name, row]))
}

/** Each span as `name < parent @ depth`. */
export function tree(recording: Recording): string[] {
  const spans = [...spansOf(recording).values()]
  const names = new Map(spans.map(({ id, name }) => [id, name]))
  return spans.map(({ name, parent, depth }) => `${name} < ${names.get(parent) ?? '-'} @ ${depth}`).sort()
}
