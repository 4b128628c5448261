import type { DeliveryCount, DeliveryReport } from './event-sink.ts'

const NOTHING: DeliveryCount = { blocks: 0, events: 0 }

/** The report of a flush that had nothing to do. */
export const EMPTY_REPORT: DeliveryReport = {
  delivered: NOTHING,
  dropped: NOTHING,
  spooled: NOTHING,
  pending: NOTHING,
}

/** Adds up what several sinks did; a block that went to two sinks counts twice. */
export function sumReports(reports: readonly DeliveryReport[]): DeliveryReport {
  return reports.reduce(
    (sum, report) => ({
      delivered: sumCounts(sum.delivered, report.delivered),
      dropped: sumCounts(sum.dropped, report.dropped),
      spooled: sumCounts(sum.spooled, report.spooled),
      pending: sumCounts(sum.pending, report.pending),
    }),
    EMPTY_REPORT,
  )
}

function sumCounts(a: DeliveryCount, b: DeliveryCount): DeliveryCount {
  return { blocks: a.blocks + b.blocks, events: a.events + b.events }
}
