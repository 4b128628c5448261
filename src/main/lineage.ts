import type { ProcessInfo } from '../model/process-info.ts'
import { builtin } from '../model/runtime/builtins.ts'
import { randomUuid } from '../model/runtime/random-uuid.ts'
import { collectProcessInfo } from '../telemetry/process-info.ts'
import { readTicks } from '../tracing/clock.ts'
import { PARENT_PROCESS_VARIABLE } from './environment.ts'

/** Under it a thread finds the process that its parent thread records for. */
const THREAD_DATA_KEY = 'micromegas.process'
const LINEAGE_KEY = Symbol.for('micromegas.lineage')

/** Who started this operating system process; kept because the variable that says so is overwritten for children. */
interface Lineage {
  readonly parentProcessId: string | undefined
}

/** What the configuration says of the process. */
export interface ProcessSettings {
  readonly processExe: string | undefined
  readonly processVersion: string | undefined
  readonly processProperties: Readonly<Record<string, string>>
}

/**
 * Describes the process that telemetry is recorded for. A worker thread belongs to the process of the thread that
 * started it; everything else is a process of its own, whose children learn its id from the environment.
 *
 * @param startTicks - When recording began: no event is earlier.
 */
export function resolveProcess(
  startTicks: bigint,
  parentProcessId: string | undefined,
  { processExe, processVersion, processProperties }: ProcessSettings,
): ProcessInfo {
  const { getEnvironmentData, isMainThread, setEnvironmentData } = builtin('node:worker_threads')
  const inherited = isMainThread
    ? undefined
    : (getEnvironmentData(THREAD_DATA_KEY) as ProcessInfo | undefined)
  if (inherited !== undefined && typeof inherited === 'object') return inherited
  const registry = globalThis as { [LINEAGE_KEY]?: Lineage }
  registry[LINEAGE_KEY] ??= { parentProcessId }
  const process_ = collectProcessInfo({
    processId: randomUuid(),
    startTicks,
    startTimeMicros: wallClockMicros(startTicks),
    parentProcessId: registry[LINEAGE_KEY].parentProcessId,
    exe: processExe,
    version: processVersion,
    properties: processProperties,
  })
  process.env[PARENT_PROCESS_VARIABLE] = process_.processId
  setEnvironmentData(THREAD_DATA_KEY, process_ as never)
  return process_
}

/** How far the two wall clocks may differ before the system's time is taken to have been set since the process began. */
const CLOCK_STEP_MS = 20

/** The wall clock at a past reading of the monotonic one. */
function wallClockMicros(ticks: bigint): bigint {
  const nowTicks = readTicks()
  const coarseMs = Date.now()
  const fineMs = performance.timeOrigin + performance.now() // microseconds, but deaf to steps of the system's time
  const nowMs = Math.abs(fineMs - coarseMs) < CLOCK_STEP_MS ? fineMs : coarseMs
  return BigInt(Math.round(nowMs * 1000)) - (nowTicks - ticks) / 1000n
}
