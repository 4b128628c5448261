import { literal } from '../../data/sql.ts'

/** More are not drawn at once. */
export const MAX_SPANS = 200_000

/** The spans of a process, without the one that stands for a whole thread, in order of their begins, in nanoseconds from a base. */
export function spansSql(processId: string, baseNs: bigint, shortestNs = 0): string {
  return `SELECT stream_id, thread_name, cast(id AS varchar) AS id, cast(parent AS varchar) AS parent, depth,
  cast(begin AS bigint) - ${baseNs} AS b, duration AS d, name, target
FROM process_spans(${literal(processId)}, 'both')
WHERE id >= 0${shortestNs > 0 ? ` AND duration >= ${shortestNs}` : ''}
ORDER BY begin
LIMIT ${MAX_SPANS}`
}
