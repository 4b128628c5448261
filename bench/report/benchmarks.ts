/** A benchmark as the report runs it: its script in `bench/` and the options that the documented figures take. */
export interface Benchmark {
  readonly name: string
  readonly script: string
  readonly options: readonly string[]
  /** The same whatever the version of Node: run once. */
  readonly once?: boolean | undefined
}

export const BENCHMARKS: readonly Benchmark[] = [
  { name: 'hot-path', script: 'hot-path/run.ts', options: ['--rounds', '300'] },
  { name: 'throughput', script: 'pipeline/run.ts', options: ['--only', 'throughput', '--seconds', '60'] },
  { name: 'load', script: 'pipeline/run.ts', options: ['--only', 'load', '--seconds', '20', '--pairs', '7'] },
  { name: 'memory', script: 'pipeline/run.ts', options: ['--only', 'memory', '--seconds', '600'] },
  { name: 'idle', script: 'pipeline/run.ts', options: ['--only', 'idle'] },
  { name: 'startup', script: 'startup/run.ts', options: ['--rounds', '41'] },
  { name: 'wire-size', script: 'wire-size/run.ts', options: [], once: true },
  { name: 'footprint', script: 'footprint/run.ts', options: ['--peers'], once: true },
]
