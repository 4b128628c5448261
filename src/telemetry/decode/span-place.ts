import type { DecodedProperties } from './properties.ts'

/** What a span measures: its name and the place in the code. */
export interface SpanPlace {
  readonly name: string
  readonly target: string
  readonly filename: string
  readonly line: number
}

/** One row of the `thread_spans` view or of the pairing of async spans. */
export interface SpanRow extends SpanPlace {
  /** Thread spans: index of the begin event in the stream. Async spans: the span id. */
  readonly id: bigint
  readonly parent: bigint
  readonly depth: number
  /** Nanoseconds since the Unix epoch. */
  readonly beginNs: bigint
  /** Nanoseconds since the Unix epoch. */
  readonly endNs: bigint
  readonly durationNs: bigint
  /** Those of the end event; none when the span does not end in the blocks read. */
  readonly properties: DecodedProperties
}

/** Spans are matched by what they measure: descriptors have a new id in every block. */
export function isSamePlace(a: SpanPlace, b: SpanPlace): boolean {
  return a.name === b.name && a.filename === b.filename && a.target === b.target && a.line === b.line
}
