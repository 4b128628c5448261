import { effect } from '@preact/signals'
import { type Arrival, isTold, onArrival } from '../data/arrivals.ts'
import { connection, NotConnected } from '../data/ask-server.ts'
import { key } from './key.ts'

const EVERY_MS = 1000
const WHEN_TOLD_MS = 5000
const WHEN_UNREACHABLE_MS = 2000

export interface PollOptions {
  /** @defaultValue `1000` */
  readonly everyMs?: number
  /** What the answer depends on: such an arrival is asked about at once, and otherwise seldom while the server tells of all. */
  readonly wokenBy?: (arrival: Arrival) => boolean
}

/**
 * Does something now and again each second, one at a time, until it is stopped; not while the page is hidden, nor while the
 * server wants another key.
 *
 * @param ask - What is asked. What it throws besides a lost connection is handed to `failed`.
 */
export function poll(
  ask: (signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
  { everyMs = EVERY_MS, wokenBy }: PollOptions = {},
): () => void {
  const end = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let asking = false
  let woken = false
  const pause = (): number => {
    if (connection.value === 'unreachable') return WHEN_UNREACHABLE_MS
    if (woken) return 0
    return wokenBy !== undefined && isTold.value ? Math.max(everyMs, WHEN_TOLD_MS) : everyMs
  }
  const again = (): void => {
    if (end.signal.aborted || asking || document.hidden) return
    if (connection.value === 'unauthorized') return
    asking = true
    woken = false
    clearTimeout(timer)
    ask(end.signal)
      .catch((error: unknown) => {
        if (!end.signal.aborted && !(error instanceof NotConnected)) failed(error)
      })
      .finally(() => {
        asking = false
        if (!end.signal.aborted) timer = setTimeout(again, pause())
      })
  }
  document.addEventListener('visibilitychange', again)
  const undo = [
    onArrival((arrivals) => {
      if (wokenBy === undefined || !arrivals.some(wokenBy)) return
      woken = true
      again()
    }),
    // Another key is worth another try.
    effect(() => {
      void key.value
      queueMicrotask(again)
    }),
  ]
  return () => {
    end.abort(new DOMException('no longer shown', 'AbortError'))
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', again)
    for (const each of undo) each()
  }
}
