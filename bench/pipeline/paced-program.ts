import { runMeasured } from '../support/measured-process.ts'
import { DiscardingServer } from './discarding-server.ts'
import { verifyRequests } from './verify-requests.ts'

export const DELAYS = ['p50', 'p99', 'p99.9', 'max'] as const
export type Delay = (typeof DELAYS)[number]

/** What a paced program's process sends. */
export interface PacedResult {
  readonly made: number
  /** Processor time of the measured seconds. */
  readonly cpuMs: number
  readonly delayMs: Readonly<Record<Delay, number>>
  /** Bytes of resident memory, second by second from the start. */
  readonly rss: readonly number[]
  readonly delivered: { readonly blocks: number; readonly events: number } | undefined
}

export interface Pace {
  readonly node: string
  /** Events a second. */
  readonly rate: number
  readonly seconds: number
}

/** The program without telemetry. */
export function runBare({ node, rate, seconds }: Pace): Promise<PacedResult> {
  return runProgram(node, 'none', rate, seconds)
}

/**
 * The program with telemetry.
 *
 * @throws Error when events do not reach the server or cannot be read there.
 */
export async function runRecording({ node, rate, seconds }: Pace): Promise<PacedResult> {
  await using server = await DiscardingServer.start(node)
  const result = await runProgram(node, server.url, rate, seconds)
  const { stats, kept } = await server.report()
  const { delivered } = result
  if (delivered === undefined || delivered.events < result.made || stats.blocks !== delivered.blocks) {
    throw new Error(`${result.made} events were made, the server has got ${stats.blocks} blocks of them`)
  }
  await verifyRequests(kept)
  return result
}

function runProgram(node: string, url: string, rate: number, seconds: number): Promise<PacedResult> {
  return runMeasured({ script: 'pipeline/paced.mjs', args: [url, String(rate), String(seconds)], node })
}
