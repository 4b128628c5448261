import { startServer } from 'micromegas-server'
import type { KeptRequest } from './discarding-server.ts'

/**
 * Posts what a discarding server has kept to the real one, which decodes it: the benchmark sent telemetry and not just
 * bytes.
 *
 * @returns How many blocks and events were read.
 * @throws Error when the server refuses a request or cannot read a block.
 */
export async function verifyRequests(
  kept: readonly KeptRequest[],
): Promise<{ readonly blocks: number; readonly events: number }> {
  const problems: string[] = []
  await using server = await startServer({
    port: 0,
    temporary: true,
    disableAuth: true,
    onEvent: () => {}, // every problem shows in an answer or in a block's state
  })
  for (const { path, body } of kept) {
    const response = await fetch(new URL(path, server.url), { method: 'POST', body })
    if (!response.ok) problems.push(`${path}: ${response.status} ${await response.text()}`)
  }
  await server.idle()
  const { rows } = server.reader.blocks({ limit: 1000 })
  for (const { state, reason } of rows) {
    if (state !== 'readable') problems.push(`a block is ${state}: ${reason ?? ''}`)
  }
  const posted = kept.filter(({ path }) => path.endsWith('/insert_block')).length
  if (rows.length !== posted) problems.push(`${posted} blocks were posted, ${rows.length} are there`)
  if (problems.length > 0) throw new Error(`Cannot read what was sent: ${problems.join('; ')}`)
  return { blocks: rows.length, events: rows.reduce((sum, row) => sum + row.eventCount, 0) }
}
