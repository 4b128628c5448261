import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchPath, cleanEnvironment } from '../support/measured-process.ts'
import { median, quantile } from '../support/statistics.ts'
import { BARE, type Subject } from './subjects.ts'

export interface StartupFigure {
  readonly subject: Subject
  /** Milliseconds from the start of the process to its end: median and lower quartile. */
  readonly wholeMs: number
  readonly quartileMs: number
  /** What the subject adds to bare Node, or to its own base: median of the differences within pairs of runs. */
  readonly addedMs: number
  /** Median of the ratios within pairs of runs. */
  readonly ratio: number
}

/**
 * Times whole processes. Every run of a subject is paired with a run of bare Node right before it, and the rounds go
 * through all subjects, so that a busy machine slows both sides of a ratio.
 */
export function measureStartup(
  node: string,
  subjects: readonly Subject[],
  rounds: number,
): readonly StartupFigure[] {
  // Inside the package, where its own name and the peers resolve.
  const folder = mkdtempSync(benchPath('startup/.programs-'))
  try {
    const files = new Map(
      [...new Set(subjects.map(baseOf)), ...subjects].map((subject) => [subject, write(folder, subject)]),
    )
    const pairs = new Map(subjects.map((subject) => [subject, [] as { bare: number; whole: number }[]]))
    for (let round = -1; round < rounds; round++) {
      for (const subject of subjects) {
        const bare = timeProcess(node, files.get(baseOf(subject))!)
        const whole = timeProcess(node, files.get(subject)!)
        if (round >= 0) pairs.get(subject)!.push({ bare, whole }) // the first round fills the file cache
      }
    }
    return subjects.map((subject) => {
      const runs = pairs.get(subject)!
      const whole = runs.map((run) => run.whole)
      return {
        subject,
        wholeMs: median(whole),
        quartileMs: quantile(whole, 0.25),
        addedMs: median(runs.map((run) => run.whole - run.bare)),
        ratio: median(runs.map((run) => run.whole / run.bare)),
      }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function baseOf({ base, format }: Subject): Subject {
  return base ?? BARE[format]
}

let written = 0

function write(folder: string, { format, source }: Subject): string {
  const file = join(folder, `${++written}.${format === 'esm' ? 'mjs' : 'cjs'}`)
  writeFileSync(file, `${source}\n`)
  return file
}

function timeProcess(node: string, file: string): number {
  const start = performance.now()
  const { status, signal, stderr } = spawnSync(node, [file], { env: cleanEnvironment(), encoding: 'utf8' })
  const elapsed = performance.now() - start
  if (status !== 0 && signal !== 'SIGKILL')
    throw new Error(`Cannot time ${file}: it ended with ${status}: ${stderr}`)
  return elapsed
}
