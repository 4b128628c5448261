import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Line } from './line.ts'
import { describeMachine, formatMachine, type Machine } from './machine.ts'

/** Options that every benchmark takes. */
export interface CommonOptions {
  /** The Node binary of the measured processes. */
  readonly node: string
  /** File that the result is written to. */
  readonly json: string | undefined
  /** What else was given, by name. */
  readonly values: Readonly<Record<string, string | boolean | undefined>>
}

/**
 * Reads a benchmark's command line: `--node PATH` and `--json FILE` besides its own options.
 *
 * @throws TypeError for an option that there is not.
 */
export function readCommand(own: Readonly<Record<string, 'string' | 'boolean'>> = {}): CommonOptions {
  const options = Object.fromEntries(
    Object.entries({ ...own, node: 'string', json: 'string' } as const).map(([name, type]) => [
      name,
      { type },
    ]),
  )
  const { values } = parseArgs({ options, strict: true })
  const node = values.node
  const json = values.json
  return {
    node: typeof node === 'string' ? node : process.execPath,
    json: typeof json === 'string' ? json : undefined,
    values: values as Record<string, string | boolean | undefined>,
  }
}

/**
 * A whole number among the options.
 *
 * @throws RangeError when it is none.
 */
export function numberOption({ values }: CommonOptions, name: string, fallback: number): number {
  const text = values[name]
  if (text === undefined) return fallback
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`Cannot use --${name} ${String(text)}: expected a whole number from 1`)
  }
  return value
}

/** Says what is measured and where. */
export function printTitle(title: string, node: string): Machine {
  const machine = describeMachine(node)
  console.log(`${title}\n${formatMachine(machine)}\n`)
  return machine
}

/** What a benchmark writes to its `--json` file. */
export interface Result {
  readonly machine: Machine
  readonly lines: readonly Line[]
  /** Everything that was measured, in the benchmark's own shape. */
  readonly details: unknown
}

export function writeResult(file: string | undefined, result: Result): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`)
}
