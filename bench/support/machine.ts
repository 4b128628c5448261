import { execFileSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'

/** What a figure depends on besides the code. */
export interface Machine {
  readonly node: string
  readonly platform: string
  readonly cores: number
  /** Processes that wanted to run, over the last minute: beyond the benchmark's own, figures are noisy. */
  readonly load: number
  readonly measuredAt: string
}

/** @param node - The Node binary that the measured processes run on. */
export function describeMachine(node: string): Machine {
  return {
    node: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    load: Number(loadavg()[0]!.toFixed(2)),
    measuredAt: new Date().toISOString(),
  }
}

/** The version of Node that counts for goals, such as 20. */
export function majorOf({ node }: Machine): number {
  return Number(/^v(\d+)/.exec(node)![1])
}

export function formatMachine({ node, platform, cores, load }: Machine): string {
  return `Node ${node}, ${platform}, ${cores} cores, load ${load} at the start`
}
