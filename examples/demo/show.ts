import { styleText } from 'node:util'

type Row = Record<string, unknown>

/** Reads back what arrived, through the server's read API, and prints it. */
export class Reader {
  readonly #url: string
  readonly #key: string

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  async rows(path: string, query: Record<string, string> = {}): Promise<Row[]> {
    const response = await fetch(`${this.#url}/api/${path}?${new URLSearchParams(query)}`, {
      headers: { authorization: `Bearer ${this.#key}` },
    })
    if (!response.ok) throw new Error(`GET /api/${path}: ${response.status} ${await response.text()}`)
    return ((await response.json()) as { rows: Row[] }).rows
  }
}

export async function showArrived(reader: Reader): Promise<void> {
  const [process] = await reader.rows('processes')
  if (process === undefined) throw new Error('no process has arrived')
  title('Process')
  for (const key of ['process_id', 'exe', 'computer', 'distro', 'cpu_brand', 'start_time']) {
    console.log(`  ${key.padEnd(12)} ${process[key]}`)
  }
  const query = { process_id: String(process.process_id) }

  title('Log entries: the first, the errors, the last')
  const first = await reader.rows('log_entries', { ...query, order: 'oldest', limit: '3', level: 'info' })
  const errors = await reader.rows('log_entries', { ...query, level: 'error', limit: '2' })
  const last = await reader.rows('log_entries', { ...query, order: 'newest', limit: '3', level: 'info' })
  for (const row of inOrder([...first, ...errors, ...last])) showLog(row)

  title('Metrics')
  console.log(dim(`  ${'name'.padEnd(34)} ${cells(['count', 'min', 'mean', 'max'])}  unit`))
  for (const row of await reader.rows('measures/summary', query)) {
    const numbers = cells([row.count, row.min, row.mean, row.max].map(shortNumber))
    console.log(`  ${String(row.name).padEnd(34)} ${numbers}  ${row.unit}`)
  }

  title('One request as a span tree')
  showTree(await reader.rows('spans', { ...query, kind: 'async', order: 'newest', limit: '400' }))
}

/** By time, and what was found twice only once. */
function inOrder(rows: readonly Row[]): Row[] {
  const byPlace = new Map(rows.map((row) => [`${row.block_id} ${row.index}`, row]))
  return [...byPlace.values()].toSorted(
    (a, b) =>
      Number(BigInt(String(a.time_ns)) - BigInt(String(b.time_ns))) || Number(a.index) - Number(b.index),
  )
}

function showLog(row: Row): void {
  const level = String(row.level_name ?? row.level).toUpperCase()
  const colour = level === 'ERROR' ? 'red' : level === 'WARN' ? 'yellow' : 'green'
  const [message, ...stack] = String(row.msg).split('\n')
  const properties = Object.entries((row.properties ?? {}) as Row).map(([key, value]) => ` ${key}=${value}`)
  console.log(
    `  ${dim(String(row.time).slice(11, 23))} ${styleText(colour, level.padEnd(5))} ${row.target}: ${message}${dim(properties.join(''))}`,
  )
  for (const line of stack.slice(0, 2)) console.log(dim(`      ${line.trim()}`))
}

/** Shows the newest tree of the deepest kind: a request with the queries it made. */
function showTree(spans: Row[]): void {
  const children = new Map<string, Row[]>()
  for (const span of spans) {
    const siblings = children.get(String(span.parent)) ?? []
    siblings.push(span)
    children.set(String(span.parent), siblings)
  }
  const size = (span: Row): number =>
    1 + (children.get(String(span.id)) ?? []).reduce((sum, child) => sum + size(child), 0)
  const root = (children.get('0') ?? []).toSorted((a, b) => size(b) - size(a))[0]
  if (root === undefined) return console.log('  none')
  const show = (span: Row, indent: string): void => {
    const place = span.filename
      ? dim(`${String(span.filename).split('/').slice(-2).join('/')}:${span.line}`)
      : ''
    console.log(
      `  ${`${indent}${span.name}`.padEnd(34)} ${Number(span.duration_ms).toFixed(2).padStart(8)} ms  ${place}`,
    )
    const below = (children.get(String(span.id)) ?? []).toSorted((a, b) =>
      String(a.begin_ns).localeCompare(String(b.begin_ns)),
    )
    for (const child of below) show(child, `${indent}  `)
  }
  show(root, '')
}

function title(text: string): void {
  console.log(`\n${styleText('bold', text)}`)
}

function dim(text: string): string {
  return styleText('dim', text)
}

function cells(values: readonly unknown[]): string {
  return values.map((value) => String(value).padStart(10)).join(' ')
}

function shortNumber(value: unknown): string {
  const number = Number(value)
  return Number.isInteger(number) ? String(number) : number.toPrecision(4)
}
