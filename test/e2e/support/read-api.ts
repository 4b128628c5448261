import type { ExpectedRecord } from '../../conformance/script/expected.ts'

/** A row of the read API. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at JSON of all shapes
export type Row = Record<string, any>

/** The embedded server's read API, over HTTP. */
export class ReadApi {
  readonly #url: string
  readonly #headers: Record<string, string>

  constructor(server: { readonly url: string }, token?: string) {
    this.#url = server.url
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  async get(path: string): Promise<Row> {
    const response = await fetch(`${this.#url}/api/${path}`, { headers: this.#headers })
    const body = (await response.json()) as Row
    if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${JSON.stringify(body)}`)
    return body
  }

  /** The rows of all pages. */
  async rows(path: string): Promise<Row[]> {
    const rows: Row[] = []
    let cursor: string | null | undefined
    do {
      const separator = path.includes('?') ? '&' : '?'
      const next = cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''
      const page = await this.get(`${path}${separator}limit=10000${next}`)
      rows.push(...page.rows)
      cursor = page.next_cursor
    } while (cursor)
    return rows
  }

  /** The blocks of a stream kind of a process, in the order in which they were recorded. */
  async blocks(processId: string, tag: string): Promise<Row[]> {
    const { streams } = await this.get(`processes/${processId}`)
    const found: Row[] = []
    for (const stream of streams.filter(({ tags }: Row) => tags.includes(tag))) {
      const rows = await this.rows(`blocks?stream_id=${stream.stream_id}`)
      found.push(...rows.sort((a, b) => Number(BigInt(a.object_offset) - BigInt(b.object_offset))))
    }
    return found
  }

  /** The events of a block as they were sent. */
  async events(blockId: string): Promise<ExpectedRecord[]> {
    return (await this.rows(`blocks/${blockId}`)).map((row) => toRecord(row))
  }

  /** The events of a stream kind of a process, in the order in which they were recorded. */
  async eventsOf(processId: string, tag: string): Promise<ExpectedRecord[]> {
    const blocks = await this.blocks(processId, tag)
    return (await Promise.all(blocks.map(({ block_id }) => this.events(block_id)))).flat()
  }

  /** What the server found wrong with what it was sent. */
  async problems(): Promise<Row[]> {
    return (await this.get('problems?limit=500')).rows
  }
}

/** A raw event of the read API, its 64-bit members as `bigint` again. */
function toRecord({ type, members }: Row): ExpectedRecord {
  return { ...Object.fromEntries(members.map(toMember)), type }
}

function toMember(member: Row): [string, unknown] {
  const { name, type, value } = member
  if (type === 'u64' || type === 'i64') return [name, BigInt(value)]
  if (type !== null) return [name, Number(value)]
  if (value?.members !== undefined) return [name, toRecord(value)]
  return [name, value?.properties ?? value]
}
