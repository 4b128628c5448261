import { literal } from '../../data/sql.ts'
import { timeText } from '../../data/time.ts'

/** The file for Perfetto, in parts. */
export function traceSql(
  id: string,
  { beginNs, endNs }: { readonly beginNs: bigint; readonly endNs: bigint },
): string {
  return `SELECT chunk_id, chunk_data
FROM perfetto_trace_chunks(${literal(id)}, 'both', timestamp '${timeText(beginNs)}', timestamp '${timeText(endNs)}')
ORDER BY chunk_id`
}
