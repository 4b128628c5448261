import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Result } from '../support/command.ts'
import { benchPath } from '../support/measured-process.ts'

/** The latest result of each benchmark, by its name. */
export type NodeResults = Readonly<Record<string, Result>>

const FOLDER = benchPath('results')

/** What has been measured on a version of Node: `bench/results/node-24.json`. */
export function readResults(major: string): NodeResults {
  const file = fileOf(major)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as NodeResults) : {}
}

/** Keeps what the documentation shows of a result. */
export function keepResult(major: string, name: string, { machine, lines }: Omit<Result, 'details'>): void {
  mkdirSync(FOLDER, { recursive: true })
  const results = { ...readResults(major), [name]: { machine, lines } }
  writeFileSync(fileOf(major), `${JSON.stringify(results, undefined, 2)}\n`)
}

function fileOf(major: string): string {
  return join(FOLDER, `node-${major}.json`)
}
