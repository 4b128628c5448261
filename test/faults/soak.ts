/**
 * Records at a steady rate for a long time while one fault follows the other, then asks for every event: it arrived once, or
 * it was counted as dropped. Prints figures; ends with exit code 1 when an event is unaccounted for or memory grew.
 *
 *     npm run soak -- --minutes 10 --rate 50000 --fault-every 10
 *
 * The byte budgets are small, so that the long faults shed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { StreamKind } from '../../src/index.ts'
import { droppedEvents } from './support/accounts.ts'
import { countEvents, numberOf, readPages } from './support/arrived.ts'
import { FaultProxy, pass } from './support/fault-proxy.ts'
import { Recorder, type RecorderEnd } from './support/recorder.ts'
import { ServerProcess } from './support/server.ts'
import { SOAK_FAULTS } from './support/soak-faults.ts'

const MIB = 1024 * 1024
/** A log, a metric, and a span's begin and end. */
const EVENTS_PER_NUMBER = 4
const ENVIRONMENT = {
  MICROMEGAS_TELEMETRY_MAX_QUEUE_BYTES: String(4 * MIB),
  MICROMEGAS_TELEMETRY_HARD_QUEUE_BYTES: String(6 * MIB),
  MICROMEGAS_TELEMETRY_REQUEST_TIMEOUT_SECS: '2',
}
/** What the floor and the peak of memory may differ by between the halves of the run. */
const MAX_FLOOR_GROWTH = 4 * MIB
const MAX_PEAK_GROWTH = 32 * MIB

interface Sample {
  readonly atSeconds: number
  readonly used: number
  readonly rss: number
  readonly held: number
}

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '50000' },
    'fault-every': { type: 'string', default: '10' },
  },
})
const minutes = Number(flags.minutes)
const rate = Number(flags.rate)
const faultSeconds = Number(flags['fault-every'])
if (!(minutes > 0 && rate > 0 && faultSeconds > 0)) {
  throw new RangeError('expected --minutes, --rate (events per second) and --fault-every (seconds) above 0')
}

await using server = await ServerProcess.start({ checkBlocks: false })
await using proxy = await FaultProxy.start(server.url)
await using recorder = await Recorder.start({
  url: proxy.url,
  env: ENVIRONMENT,
  spans: true,
  telemetry: { flushPeriodSeconds: 1 },
})

const startMs = performance.now()
const secondsRun = (): number => (performance.now() - startMs) / 1_000
const samples: Sample[] = []
await recorder.startRecording(rate / EVENTS_PER_NUMBER)
const faults = await applyFaults()
await recorder.stopRecording()
const recordedSeconds = secondsRun()
while ((await sample()).held > 0 && secondsRun() < recordedSeconds + 120) await recorder.flush(5_000)
const end = await recorder.shutdown()

const problems = [...(await findUnaccounted(end)), ...findGrowth()]
printFigures(end)
for (const problem of problems) console.log(`FAILED: ${problem}`)
process.exitCode = problems.length > 0 ? 1 : 0

/** Begins a fault at every period and ends it in the middle of it; watches memory all the while. */
async function applyFaults(): Promise<number> {
  const periods = Math.max(1, Math.round((minutes * 60) / faultSeconds))
  for (let period = 0; period < periods; period++) {
    const fault = SOAK_FAULTS[period % SOAK_FAULTS.length]!
    console.log(`${Math.round(secondsRun())} s: the server ${fault.name}`)
    await fault.begin({ proxy, server })
    await watch((period + 0.5) * faultSeconds)
    await fault.end?.({ proxy, server })
    proxy.behaviour = pass
    await watch((period + 1) * faultSeconds)
  }
  return periods
}

async function watch(untilSeconds: number): Promise<void> {
  while (secondsRun() < untilSeconds) {
    await sample()
    await sleep(Math.min(1_000, Math.max(1, (untilSeconds - secondsRun()) * 1_000)))
  }
}

async function sample(): Promise<Sample> {
  const { memory, stats } = await recorder.state()
  const one: Sample = {
    atSeconds: secondsRun(),
    used: memory.heapUsed + memory.external,
    rss: memory.rss,
    held: stats.upload!.heldBytes,
  }
  samples.push(one)
  return one
}

/** Everything that is wrong with the accounts. */
async function findUnaccounted({ numbers, stats }: RecorderEnd): Promise<string[]> {
  const found: string[] = []
  const { recording, upload } = stats
  const { enqueued, delivered, dropped, pending } = upload!
  if (enqueued.events !== delivered.events + dropped.events || pending.events !== 0) {
    found.push(`${enqueued.events} enqueued, ${delivered.events} delivered, ${dropped.events} dropped`)
  }
  const stored = await countEvents(server.url, recorder.processId)
  for (const [kind, { recorded }] of Object.entries(recording)) {
    const lost = droppedEvents(stats, kind as StreamKind)
    const arrived = stored[kind as StreamKind]
    if (arrived !== recorded - lost)
      found.push(`${kind}: ${recorded} recorded, ${arrived} arrived, ${lost} dropped`)
  }
  const logs = readPages<{ readonly msg: string }>(server.url, '/api/log_entries', ofLedger('target'))
  const metrics = readPages<{ readonly value: number }>(server.url, '/api/measures', ofLedger('name'))
  found.push(...(await findRepeated('log', logs, ({ msg }) => numberOf(msg), numbers)))
  found.push(...(await findRepeated('metric', metrics, ({ value }) => value, numbers)))
  return found
}

function ofLedger(filter: string): Readonly<Record<string, string>> {
  return { process_id: recorder.processId, [filter]: 'ledger', order: 'oldest' }
}

/** Numbers that arrived twice, or were never recorded. */
async function findRepeated<Row>(
  what: string,
  pages: AsyncIterable<readonly Row[]>,
  toNumber: (row: Row) => number,
  numbers: number,
): Promise<string[]> {
  const seen = new Uint8Array(numbers)
  let wrong = 0
  let distinct = 0
  for await (const page of pages) {
    for (const row of page) {
      const number = toNumber(row)
      if (seen[number] === 0) distinct++
      else wrong++
      seen[number] = 1
    }
  }
  console.log(`${distinct} of ${numbers} ${what} numbers arrived`)
  return wrong === 0 ? [] : [`${wrong} ${what}s arrived twice or were never recorded`]
}

/** Compares the halves of the run, the first seconds left out. */
function findGrowth(): string[] {
  const found: string[] = []
  const warm = samples.filter(({ atSeconds }) => atSeconds > Math.min(30, recordedSeconds / 4))
  const halves = [warm.slice(0, warm.length >> 1), warm.slice(warm.length >> 1)] as const
  const [floor, laterFloor] = halves.map((half) => Math.min(...half.map(({ used }) => used))) as [
    number,
    number,
  ]
  const [peak, laterPeak] = halves.map((half) => Math.max(...half.map(({ rss }) => rss))) as [number, number]
  console.log(`memory in use, floor of each half: ${mib(floor)}, ${mib(laterFloor)}`)
  console.log(`resident memory, peak of each half: ${mib(peak)}, ${mib(laterPeak)}`)
  if (laterFloor > floor + MAX_FLOOR_GROWTH) found.push('the floor of the memory in use rose')
  if (laterPeak > peak + MAX_PEAK_GROWTH) found.push('the peak of the resident memory rose')
  return found
}

function printFigures({ stats }: RecorderEnd): void {
  const { enqueued, delivered, dropped, drops, attempts, failedAttempts, staleConnections } = stats.upload!
  const perSecond = Math.round(enqueued.events / recordedSeconds)
  console.log(
    `recorded ${enqueued.events} events in ${Math.round(recordedSeconds)} s (${perSecond}/s), ${faults} faults`,
  )
  console.log(`delivered ${delivered.events} events in ${delivered.blocks} blocks`)
  console.log(`dropped ${dropped.events} events in ${dropped.blocks} blocks`)
  for (const { kind, reason, events } of drops) console.log(`  ${kind} ${reason}: ${events}`)
  console.log(
    `${attempts} attempts, ${failedAttempts} failed, ${staleConnections} repeated on stale connections`,
  )
  console.log(`most bytes held: ${mib(Math.max(...samples.map(({ held }) => held)))}`)
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}
