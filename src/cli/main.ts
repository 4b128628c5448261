import { CommanderError } from 'commander'
import { LoginRequiredError } from '../auth/login/login-error.ts'
import { printableText } from '../model/text/printable.ts'
import { ReaderGoneError } from './output/terminal.ts'
import { makeProgram } from './program.ts'
import { UsageError } from './usage-error.ts'

/** Exit codes, as the documentation has them. */
export const EXIT = { ok: 0, error: 1, usage: 2, login: 3, interrupted: 130 } as const

/**
 * Runs the command line and sets the exit code. Errors are one line on the standard error output.
 *
 * @param args - Without the interpreter and the script.
 */
export async function main(args: readonly string[]): Promise<void> {
  process.once('SIGINT', () => process.exit(EXIT.interrupted))
  let code: number = EXIT.ok
  const program = makeProgram((own) => {
    code = own
  })
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap((child) => child.commands),
  ]) {
    command.exitOverride()
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    code = exitCodeOf(error)
    if (code !== EXIT.ok && !(error instanceof CommanderError)) {
      process.stderr.write(`micromegas: ${printableText(messageOf(error))}\n`)
    }
  }
  process.exitCode = code
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ReaderGoneError) return EXIT.ok
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof UsageError) return EXIT.usage
  // What options of the client refuse was given on the command line.
  if (error instanceof TypeError || error instanceof RangeError) return EXIT.usage
  if (error instanceof LoginRequiredError || (error as { code?: unknown })?.code === 'UNAUTHENTICATED')
    return EXIT.login
  return EXIT.error
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
