import { type EngineOptions, LocalEngine } from '../../src/sql/local-engine.ts'
import { MemorySource, readRecording } from './recordings.ts'

export const TEST_OPTIONS: EngineOptions = {
  memoryLimitBytes: 512 * 1024 * 1024,
  threads: 2,
  queryTimeoutMs: 60_000,
  maxConcurrentQueries: 2,
  warn: (message) => {
    throw new Error(`unexpected warning: ${message}`)
  },
}

/** An engine over the three recordings that the real servers were asked about. */
export function openGoldenEngine(options: Partial<EngineOptions> = {}): Promise<LocalEngine> {
  const source = new MemorySource(['shop', 'rust', 'node'].map(readRecording))
  return LocalEngine.open(source, { ...TEST_OPTIONS, ...options })
}

/** Both ends of a recorded range; `undefined` without one. */
export function rangeOf(golden: {
  readonly begin: string | null
  readonly end: string | null
}): { readonly beginNs: bigint; readonly endNs: bigint } | undefined {
  if (golden.begin === null || golden.end === null) return undefined
  const ns = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n
  return { beginNs: ns(golden.begin), endNs: ns(golden.end) }
}
