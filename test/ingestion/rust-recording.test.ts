/** What the Rust SDK posted, sent to the server anew: its read API gives what the Rust crates read in it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TickConverter } from '../../src/telemetry/tick-converter.ts'
import type { PropertyList } from '../../src/transit/value.ts'
import {
  type DecodedBlock,
  type DecodedRecord,
  type DecodedValue,
  parseDecoded,
} from '../conformance/decoded.ts'
import { parseRecording, readFixture } from '../conformance/recording.ts'
import { getJson, send, startServer, type TestServer } from './support/server.ts'

const rust = parseDecoded(readFixture('rust-sdk.decoded'))
const process = rust.processes[0]!
/** The recorded process does not know its tick frequency. Its spans are timed by its latest block, other events by their own. */
const latest = {
  endTicks: rust.blocks.reduce((max, { endTicks }) => (endTicks > max ? endTicks : max), 0n),
  endTimeMicros: rust.blocks.reduce((max, { endTimeMicros }) => (endTimeMicros > max ? endTimeMicros : max), 0n),
}

let server: TestServer
beforeAll(async () => {
  server = await startServer()
  for (const { path, body } of parseRecording(readFixture('rust-sdk.requests'))) {
    const answer = await send(server.url, `/ingestion/${path}`, { method: 'POST', body })
    expect(answer).toMatchObject({ status: 200, text: '' })
  }
  await server.idle()
})
afterAll(() => server.close())

function eventsOf<Row>(
  tag: string,
  toRow: (event: Members, block: DecodedBlock, index: number) => Row,
): Row[] {
  const ids = rust.streams.filter(({ tags }) => tags.includes(tag)).map(({ streamId }) => streamId)
  return rust.blocks
    .filter(({ streamId }) => ids.includes(streamId))
    .flatMap((block) => block.events.map((event, index) => toRow(new Members(event), block, index)))
}

/** The members of a decoded record, and of the descriptor it refers to where it has none of that name itself. */
class Members {
  readonly typeName: string
  readonly #record: DecodedRecord

  constructor(record: DecodedRecord) {
    this.typeName = record.typeName
    this.#record = record
  }

  get(name: string): DecodedValue | undefined {
    const { members } = this.#record
    const descriptor = [...members]
      .filter(([key]) => /desc$|location$/.test(key))
      .map(([, value]) => value as DecodedRecord)[0]
    return members.get(name) ?? descriptor?.members.get(name)
  }
  text(name: string): string | undefined {
    return this.get(name) as string | undefined
  }
  number(name: string): number | bigint {
    return (this.get(name) as { value: number | bigint }).value
  }
  properties(): Record<string, string> {
    return Object.fromEntries((this.get('properties') ?? []) as PropertyList)
  }
}

function originOf(event: Members, block: DecodedBlock, index: number) {
  const time_ns = String(new TickConverter(process, block).toNanoseconds(event.number('time') as bigint))
  const { processId, streamId, blockId } = block
  return { time_ns, process_id: processId, stream_id: streamId, block_id: blockId, index, exe: process.exe }
}

async function rowsOf(path: string): Promise<{ block_id: string; index: number }[]> {
  const answer = await getJson(server, `/api/${path}`)
  expect(answer).toMatchObject({ next_cursor: null })
  return answer.rows
}

/** In the order of the recording. */
async function eventRowsOf(path: string): Promise<unknown[]> {
  const place = ({ block_id, index }: { block_id: string; index: number }): number =>
    rust.blocks.findIndex(({ blockId }) => blockId === block_id) * 1000 + index
  return (await rowsOf(`${path}?limit=10000`)).sort((a, b) => place(a) - place(b))
}

test('every block is readable and knows no unknown event', async () => {
  expect(server.reasons()).toEqual([])
  const { rows } = await getJson(server, '/api/blocks?limit=10000')
  expect(rows).toHaveLength(rust.blocks.length)
  expect(rows.filter(({ state }: { state: string }) => state !== 'readable')).toEqual([])
})

test('the process is there, with every field', async () => {
  expect(await getJson(server, `/api/processes/${process.processId}`)).toMatchObject({
    exe: process.exe,
    username: process.username,
    realname: process.realname,
    computer: process.computer,
    distro: process.distro,
    cpu_brand: process.cpuBrand,
    tsc_frequency: String(process.tscFrequency),
    start_ticks: String(process.startTicks),
    parent_process_id: process.parentProcessId,
    properties: process.properties,
  })
})
