import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { program } from '../../support/program.ts'

/** The program that ends as told. */
export const ENDING_PROGRAM: string = program(new URL('../fixtures/exits.ts', import.meta.url))

/** How a program ended: its exit code, what its sink counted, and what it printed. */
export interface Ending {
  readonly code: number | null
  readonly delivered: number
  readonly dropped: number
  readonly pending: number
  /** How long the last delivery took. */
  readonly tookMs: number
  /** How many threads were started for it. */
  readonly threads: number
  readonly errors: string
  readonly output: string
}

/**
 * Runs a program that ends as told.
 *
 * @param scenario - As in `fixtures/exits.ts`.
 * @param flags - Of Node, and the program.
 */
export async function endProgram(
  url: string,
  scenario: object,
  env: NodeJS.ProcessEnv = {},
  flags: readonly string[] = [ENDING_PROGRAM],
): Promise<Ending> {
  const child = spawn(process.execPath, [...flags, url, JSON.stringify(scenario)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const [code] = await once(child, 'close')
  const json = /\{.*\}/.exec(output)?.[0] ?? '{}'
  return { code, errors, output, ...JSON.parse(json) }
}
