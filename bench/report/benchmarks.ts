/** A benchmark as the report runs it: its script in `bench/`, and its options. */
export interface Benchmark {
  readonly name: string
  readonly script: string
  /** For the documented figures. */
  readonly options: readonly string[]
  /** For a look at how things stand, in minutes instead of half an hour. */
  readonly quickOptions: readonly string[]
  /** The same whatever the version of Node: run once. */
  readonly once?: boolean | undefined
}

export const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'hot-path',
    script: 'hot-path/run.ts',
    options: ['--rounds', '300'],
    quickOptions: ['--rounds', '80', '--events', '2000000'],
  },
  { name: 'parts', script: 'parts/run.ts', options: [], quickOptions: [] },
  {
    name: 'throughput',
    script: 'pipeline/run.ts',
    options: ['--only', 'throughput', '--seconds', '60'],
    quickOptions: ['--only', 'throughput', '--seconds', '5'],
  },
  {
    name: 'load',
    script: 'pipeline/run.ts',
    options: ['--only', 'load', '--seconds', '20', '--pairs', '7'],
    quickOptions: ['--only', 'load', '--seconds', '8', '--pairs', '3'],
  },
  {
    name: 'memory',
    script: 'pipeline/run.ts',
    options: ['--only', 'memory', '--seconds', '600'],
    quickOptions: ['--only', 'memory', '--seconds', '20'],
  },
  { name: 'idle', script: 'pipeline/run.ts', options: ['--only', 'idle'], quickOptions: ['--only', 'idle'] },
  {
    name: 'startup',
    script: 'startup/run.ts',
    options: ['--rounds', '41'],
    quickOptions: ['--rounds', '15'],
  },
  { name: 'short-run', script: 'short-run/run.ts', options: ['--rounds', '9'], quickOptions: [] },
  { name: 'http', script: 'http/run.ts', options: ['--rounds', '7'], quickOptions: [] },
  { name: 'wire-size', script: 'wire-size/run.ts', options: [], quickOptions: [], once: true },
  { name: 'footprint', script: 'footprint/run.ts', options: ['--peers'], quickOptions: [], once: true },
]
