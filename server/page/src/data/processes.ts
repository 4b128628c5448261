import { computed, signal } from '@preact/signals'
import type { Process } from './process.ts'
import { query } from './query.ts'
import { parseTime, type TimeText } from './time.ts'

interface Row {
  process_id: string
  exe: string | null
  computer: string | null
  username: string | null
  start_time: TimeText
  last_update_time: TimeText | null
  parent_process_id: string | null
  properties: Record<string, string> | null
}

/** Those that came last. */
const MAX_PROCESSES = 500

/** The processes the server knows, the newest first; nothing before the first answer. */
export const processes = signal<readonly Process[] | undefined>(undefined)
export const processById = computed(() => new Map(processes.value?.map((process) => [process.id, process])))

export const PROCESSES_SQL = `SELECT process_id, exe, computer, username, start_time, last_update_time, parent_process_id, properties
FROM processes
ORDER BY start_time DESC
LIMIT ${MAX_PROCESSES}`

export async function readProcesses(stop: AbortSignal): Promise<void> {
  const rows = await query<Row>(PROCESSES_SQL, { signal: stop })
  processes.value = rows.map((row) => ({
    id: row.process_id,
    exe: row.exe ?? '',
    name: (row.exe ?? '').split(/[/\\]/).at(-1) || 'unnamed',
    computer: row.computer ?? '',
    username: row.username ?? '',
    startNs: parseTime(row.start_time),
    lastNs: parseTime(row.last_update_time ?? row.start_time),
    parentId: row.parent_process_id || undefined,
    properties: row.properties ?? {},
  }))
}
