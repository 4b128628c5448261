import { fileURLToPath } from 'node:url'
import { Level } from '../../src/model/level.ts'
import type { ProcessInfo } from '../../src/model/process-info.ts'
import { HttpEventSink } from '../../src/sink/http-event-sink.ts'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { startCaptureServer } from './capture-server.ts'
import type { RecordedRequest } from './recording.ts'
import type { ExpectedEvents } from './script/expected.ts'
import { recordScript } from './script/script.ts'

/** The process of recordings; nothing in it tells of the machine that records. */
export const PROCESS: ProcessInfo = {
  processId: '00000000-0000-4000-8000-000000000001',
  exe: '/opt/conformance/bin/enregistré',
  username: 'ユーザー',
  realname: '',
  computer: 'host-🦀',
  distro: 'Linux',
  cpuBrand: 'cpu',
  tscFrequency: 1_000_000_000n,
  startTimeMicros: 1_795_000_000_123_456n,
  startTicks: 0n, // set when recording starts
  parentProcessId: '00000000-0000-4000-8000-00000000002a',
  properties: { version: '1.2.3', empty: '', 'clé 🗝': 'värde', long: 'p'.repeat(5_000) },
}

export interface Recording {
  readonly requests: readonly RecordedRequest[]
  readonly expected: ExpectedEvents
  readonly process: ProcessInfo
}

/** Records the script with this SDK, uploading over HTTP. */
export async function recordHere(processId: string = PROCESS.processId): Promise<Recording> {
  using _ = neutralPaths()
  await using server = await startCaptureServer()
  const problems: unknown[] = []
  const onProblem = (problem: unknown): void => void problems.push(problem)
  const sink = new HttpEventSink(server.url, { warn: onProblem })
  const process_: ProcessInfo = { ...PROCESS, processId, startTicks: process.hrtime.bigint() }
  dispatch.start({
    process: process_,
    sinks: [{ sink, maxLevel: Level.Trace }],
    filters: { maxLevel: Level.Trace, targetMaxLevels: {}, interopMaxLevel: Level.Trace },
    cpuTracing: true,
    flushPeriodMs: 3_600_000,
    onSinkError: onProblem,
  })
  const expected = await recordScript()
  const { delivered } = await dispatch.shutdown(30_000)
  const recorded = Object.values(expected).flat().length
  if (problems.length > 0 || delivered.events !== recorded) {
    throw new AggregateError(problems, `${delivered.events} of ${recorded} events were delivered`)
  }
  return { requests: server.requests, expected, process: process_ }
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Makes the files of this repository those of `/app` in stacks, from which the places of spans are read. */
function neutralPaths(): Disposable {
  const { prepareStackTrace } = Error
  Error.prepareStackTrace = (error, frames) =>
    [String(error), ...frames.map((frame) => `    at ${frame}`)]
      .join('\n')
      .replaceAll(`file://${ROOT}`, '/app/')
      .replaceAll(ROOT, '/app/')
  return {
    [Symbol.dispose]() {
      Error.prepareStackTrace = prepareStackTrace
    },
  }
}
