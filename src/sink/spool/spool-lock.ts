import { builtin } from '../../model/runtime/builtins.ts'
import type { Clock } from '../../model/runtime/clock.ts'

const { hostname } = builtin('node:os')

const fs = builtin('node:fs')

/** Who owns a directory of the spool, as its lock file says. */
export interface SpoolOwner {
  /** Within which process ids mean something: the host and, on Linux, the process id namespace (containers). */
  readonly space: string
  readonly pid: number
  /** Seconds since the Unix epoch at which the process started: tells it from a later one of the same id. */
  readonly startedAt: number
}

/** An owner refreshes its lock this often. */
export const LOCK_REFRESH_MS = 10_000
/** A lock that was not refreshed for this long has lost its owner. */
export const LOCK_STALE_MS = 60_000
/** How far the start time of a process may seem to move: it is counted back from now. */
const START_TOLERANCE_S = 2

/** This process, as the owner of a lock; the same in all its threads. */
export function thisOwner(clock: Clock): SpoolOwner {
  return {
    space: `${hostname()} ${processNamespace()}`,
    pid: process.pid,
    startedAt: Math.round(clock.wallMs() / 1000 - process.uptime()),
  }
}

/**
 * Whether the owner of a lock is still there. Where its process can be looked for, a dead one is known at once; elsewhere,
 * as in another container, only by a lock that is no longer refreshed. A mistake is harmless: two processes then send the
 * same blocks, and the server keeps one of each.
 *
 * @param owner - `undefined` when the lock cannot be read.
 * @param ageMs - Time since it was last refreshed.
 */
export function isOwnerAlive(owner: SpoolOwner | undefined, ageMs: number, clock: Clock): boolean {
  if (ageMs > LOCK_STALE_MS) return false
  const here = thisOwner(clock)
  if (owner === undefined || owner.space !== here.space) return true
  if (owner.pid === here.pid) return Math.abs(owner.startedAt - here.startedAt) <= START_TOLERANCE_S
  try {
    process.kill(owner.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Reads a lock file's text; `undefined` when it is no lock. */
export function parseOwner(text: string): SpoolOwner | undefined {
  try {
    const { space, pid, startedAt } = JSON.parse(text) as Partial<SpoolOwner>
    if (typeof space !== 'string' || typeof startedAt !== 'number') return undefined
    return Number.isSafeInteger(pid) && Number(pid) > 0 ? { space, pid: Number(pid), startedAt } : undefined
  } catch {
    return undefined // torn, or something else's
  }
}

function processNamespace(): string {
  try {
    return fs.readlinkSync('/proc/self/ns/pid')
  } catch {
    return '' // not Linux
  }
}
