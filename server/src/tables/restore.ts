import type { Connection } from './database.ts'
import type { DecodeState } from './decode/decode-state.ts'
import type { DictionaryStart } from './decode/event-rows.ts'
import { type ProcessEntry, type Registry, type RegistryStart, threadNameOf } from './registry.ts'

/** The numbers that follow those in the database. */
export async function nextNumbers(connection: Connection): Promise<RegistryStart & DictionaryStart> {
  const next = async (table: string): Promise<number> => {
    const [row] = await connection.all(`SELECT coalesce(max(id), 0) + 1 FROM ${table}`)
    return Number(row![0])
  }
  return {
    process: await next('processes'),
    stream: await next('streams'),
    block: await next('blocks'),
    text: await next('texts'),
    properties: await next('property_sets'),
    place: await next('places'),
  }
}

/** Reads back what an earlier run knew. */
export async function restoreRegistry(
  connection: Connection,
  registry: Registry,
  state: DecodeState,
): Promise<void> {
  const processes = new Map<number, ProcessEntry>()
  const starts = new Map<number, { readonly startNs: bigint; readonly frequency: bigint }>()
  for (const [id, processId, startNs, frequency] of await connection.all(
    'SELECT id, process_id, start_time, tsc_frequency FROM processes',
  )) {
    processes.set(Number(id), { number: Number(id), processId: String(processId) })
    starts.set(Number(id), { startNs: startNs as bigint, frequency: frequency as bigint })
  }
  const streamIds = new Map<number, string>()
  const streams = (
    await connection.all('SELECT id, stream_id, process, tags, properties FROM streams ORDER BY id')
  ).flatMap(([id, streamId, process, tags, properties]) => {
    const entry = processes.get(Number(process))
    if (entry === undefined) return []
    streamIds.set(Number(id), String(streamId))
    return [
      {
        number: Number(id),
        streamId: String(streamId),
        process: entry,
        tags: JSON.parse(String(tags)) as string[],
        threadName: threadNameOf(String(streamId), JSON.parse(String(properties)) as Record<string, string>),
      },
    ]
  })
  const blocks = (
    await connection.all(
      'SELECT id, block_id, stream, process, begin_time, begin_ticks, end_time, end_ticks, nb_objects, object_offset, insert_time FROM blocks ORDER BY id',
    )
  ).flatMap((row) => {
    const streamId = streamIds.get(Number(row[2]))
    const start = starts.get(Number(row[3]))
    if (streamId === undefined || start === undefined) return []
    const [beginNs, beginTicks, endNs, endTicks] = row.slice(4, 8) as bigint[]
    const at = (ticks: bigint, otherwise: bigint): bigint =>
      start.frequency > 0n
        ? start.startNs + BigInt(Math.round((Number(ticks) * 1e9) / Number(start.frequency)))
        : otherwise
    const edges = [at(beginTicks!, beginNs!), at(endTicks!, endNs!)].sort((a, b) => (a < b ? -1 : 1))
    return [
      {
        number: Number(row[0]),
        blockId: String(row[1]),
        streamId,
        fromNs: edges[0]!,
        toNs: edges[1]!,
        insertNs: row[10] as bigint,
        beginTicks: beginTicks!,
        endTicks: endTicks!,
        endTimeMicros: endNs! / 1000n,
        objectOffset: row[9] as bigint,
        eventCount: Number(row[8]),
      },
    ]
  })
  registry.restore([...processes.values()], streams, blocks)
  for (const [viewSet, block, blockState] of await connection.all(
    'SELECT view_set, block, state FROM decoded',
  )) {
    state.restore(Number(viewSet), Number(block), blockState === 1)
  }
}
