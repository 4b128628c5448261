/** A span of time, both ends included, in nanoseconds since the Unix epoch. */
export interface TimeRange {
  readonly beginNs: bigint
  readonly endNs: bigint
}
