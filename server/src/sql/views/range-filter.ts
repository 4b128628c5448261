import type { TimeRange } from '../../nanoseconds.ts'

/** What the range of a query means to the rows of a view: it is a filter, not only a hint. */
export type RangeFilter = (range: TimeRange) => string[]

export const BY_TIME: RangeFilter = ({ beginNs, endNs }) => [`r.time BETWEEN ${beginNs} AND ${endNs}`]
export const BY_SPAN: RangeFilter = ({ beginNs, endNs }) => [
  `r.begin_time <= ${endNs}`,
  `r.end_time >= ${beginNs}`,
]
export const BY_BIN: RangeFilter = ({ beginNs, endNs }) => [`g.time_bin BETWEEN ${beginNs} AND ${endNs}`]
export const BY_BLOCK: RangeFilter = ({ beginNs, endNs }) => [
  `b.begin_time <= ${endNs}`,
  `b.insert_time >= ${beginNs}`,
]
export const BY_PROCESS_LIFE: RangeFilter = ({ beginNs, endNs }) => [
  `p.insert_time <= ${endNs}`,
  `g.last_update_time >= ${beginNs}`,
]
export const BY_STREAM_LIFE: RangeFilter = ({ beginNs, endNs }) => [
  `s.insert_time <= ${endNs}`,
  `g.last_update_time >= ${beginNs}`,
]
