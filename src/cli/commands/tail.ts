import { setTimeout as sleep } from 'node:timers/promises'
import { levelName } from '../../model/level.ts'
import { printableText, printableWord } from '../../model/text/printable.ts'
import type { FlightSQLClient } from '../../query/flight-sql-client.ts'
import { rawSql, sql } from '../../query/sql.ts'
import { formatNanoseconds, nowNanoseconds } from '../../query/time.ts'
import { contains, level, processId, where } from '../arguments.ts'
import { type ConnectionFlags, withClient } from '../connect.ts'
import { jsonText } from '../output/cells.ts'
import { DataOutput, wantsColor } from '../output/terminal.ts'
import { UsageError } from '../usage-error.ts'

export interface TailFlags extends ConnectionFlags {
  readonly maxLevel?: string | undefined
  readonly target?: string | undefined
  readonly grep?: string | undefined
  readonly exclude?: string | undefined
  readonly process?: string | undefined
  readonly kind: string
  readonly since: string
  readonly format: string
  readonly color?: boolean | undefined
  /** Stops after what there is now. */
  readonly once?: boolean | undefined
}

interface TailRow {
  readonly time: bigint
  readonly block_id: string
  readonly [column: string]: unknown
}

const POLL_MS = 1_000
/** Blocks of different streams arrive out of order: each look goes back so far. */
const OVERLAP_NS = 10_000_000_000n
/** Events of one look; more are left for the next. */
const MAX_ROWS = 10_000
const KINDS = {
  log: { view: 'log_entries', columns: 'time, block_id, process_id, level, target, msg, properties' },
  metric: { view: 'measures', columns: 'time, block_id, process_id, target, name, value, unit, properties' },
} as const
const COLORS = ['', '35', '31', '33', '32', '36', '2'] as const // by level: magenta, red, yellow, green, cyan, dim

/** Follows what arrives, by asking again every second. */
export async function tail(flags: TailFlags): Promise<void> {
  const kind = Object.hasOwn(KINDS, flags.kind) ? KINDS[flags.kind as keyof typeof KINDS] : undefined
  if (kind === undefined)
    throw new UsageError(`Cannot use --kind ${flags.kind}: expected ${Object.keys(KINDS).join(' or ')}`)
  if (flags.format !== 'text' && flags.format !== 'ndjson') {
    throw new UsageError(`Cannot use --format ${flags.format}: tail shows text or ndjson`)
  }
  const isLog = flags.kind === 'log'
  if (!isLog && flags.maxLevel !== undefined)
    throw new UsageError('Cannot use --max-level with --kind metric: metrics have no level shown')
  const text = isLog ? 'msg' : 'name'
  const conditions = where([
    flags.maxLevel === undefined ? undefined : sql`level <= ${level('--max-level', flags.maxLevel)}`,
    flags.target === undefined ? undefined : contains('target', flags.target),
    flags.grep === undefined ? undefined : contains(text, flags.grep),
    flags.exclude === undefined ? undefined : `NOT (${contains(text, flags.exclude)})`,
    flags.process === undefined ? undefined : sql`process_id = ${processId(flags.process)}`,
  ])
  const statement = sql`SELECT ${rawSql(kind.columns)} FROM ${rawSql(kind.view)} ${conditions} ORDER BY time LIMIT ${MAX_ROWS}`
  const output = new DataOutput()
  const show =
    flags.format === 'ndjson' ? showJson : showText(wantsColor(process.stdout, flags.color, process.env))
  await withClient(flags, 'cli-tail', (client) =>
    follow(client, statement, flags, (row) => output.write(show(row))),
  )
}

async function follow(
  client: FlightSQLClient,
  statement: string,
  flags: TailFlags,
  print: (row: TailRow) => Promise<void>,
): Promise<void> {
  let begin: string | bigint = flags.since
  let seen = new Set<string>()
  for (;;) {
    const { rows }: { rows: readonly TailRow[] } = await client.query<TailRow>(statement, {
      begin,
      timestamps: 'bigint',
    })
    const now = new Set<string>()
    let newest = 0n
    for (const row of rows) {
      const key = jsonText(row)
      now.add(key)
      if (row.time > newest) newest = row.time
      if (!seen.has(key)) await print(row)
    }
    // A look that was cut by the limit goes on where it ended.
    const full: boolean = rows.length === MAX_ROWS
    if (rows.length > 0) seen = now
    if (newest > 0n) begin = full ? newest : minimum(newest, nowNanoseconds()) - OVERLAP_NS
    if (flags.once && !full) return
    if (!full) await sleep(POLL_MS)
  }
}

function showJson(row: TailRow): string {
  return `${jsonText({ ...row, time: formatNanoseconds(row.time) })}\n`
}

function showText(color: boolean): (row: TailRow) => string {
  return (row) => {
    const time = formatNanoseconds(row.time)
    const properties = Object.entries((row.properties ?? {}) as Record<string, unknown>)
      .map(([name, value]) => ` ${printableWord(name)}=${printableWord(String(value))}`)
      .join('')
    const target = printableWord(String(row.target))
    if (row.level === undefined) {
      const unit = row.unit === '' ? '' : ` ${printableWord(String(row.unit))}`
      return `${time} ${target} ${printableWord(String(row.name))} = ${String(row.value)}${unit}${properties}\n`
    }
    const name = levelName(Number(row.level)).toUpperCase().padEnd(5)
    const shown = color ? `\u001b[${COLORS[Number(row.level)] || '0'}m${name}\u001b[0m` : name
    return `${time} ${shown} ${target}: ${printableText(String(row.msg))}${properties}\n`
  }
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
