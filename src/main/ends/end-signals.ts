import { builtin } from '../../model/runtime/builtins.ts'
import { platformClock } from '../../model/runtime/clock.ts'

const { constants } = builtin('node:os')

/**
 * The signals that ask a process to end and end it when nobody listens: a service manager's, a terminal's, and SIGUSR2,
 * by which nodemon and other runners restart. SIGUSR1 is Node's own.
 */
export const END_SIGNALS: readonly NodeJS.Signals[] =
  process.platform === 'win32'
    ? ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGBREAK']
    : ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']

/** What Windows gives a process that a console event ended: STATUS_CONTROL_C_EXIT. */
const CONTROL_C_EXIT = 0xc000013a

/** A terminal and `npm` both pass Ctrl-C on: what comes within this time is no second request. */
const SAME_REQUEST_MS = 500

/** The exit code that shells show for a process ended by the signal. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

/** Ends the process by the signal, as Node does when nobody listens to it. To be called once no listener is left. */
export function endBySignal(signal: NodeJS.Signals): never {
  if (process.platform === 'win32') process.exit(CONTROL_C_EXIT)
  process.kill(process.pid, signal)
  // Only the first process of a container gets here: the kernel spares it the signals that it has no handler for.
  process.exit(exitCodeOf(signal))
}

/**
 * Calls `end` for a further signal, at once or when enough time has passed since the first that somebody must have meant
 * it.
 */
export function hasten(firstAtMs: number, end: () => void): void {
  platformClock.after(Math.max(0, firstAtMs + SAME_REQUEST_MS - platformClock.now()), end, { holds: true })
}

/**
 * Whether the process that this code sees is the one that signals come to. A test runner such as jest hands out a copy: a
 * listener on it would swallow the signal. Worker threads get none.
 */
export function receivesSignals(): boolean {
  const real = process.getBuiltinModule?.('node:process')
  return real === undefined || real === process
}
