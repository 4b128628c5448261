import { effect } from '@preact/signals'
import { connection, NotConnected } from '../data/query.ts'
import { key } from './key.ts'

const EVERY_MS = 1000
const WHEN_UNREACHABLE_MS = 2000

/**
 * Does something now and again each second, one at a time, until it is stopped; not while the page is hidden, nor while the
 * server wants another key.
 *
 * @param ask - What is asked. What it throws besides a lost connection is handed to `failed`.
 */
export function poll(
  ask: (signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
  everyMs = EVERY_MS,
): () => void {
  const end = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let asking = false
  const again = (): void => {
    if (end.signal.aborted || asking || document.hidden) return
    if (connection.value === 'unauthorized') return
    asking = true
    clearTimeout(timer)
    ask(end.signal)
      .catch((error: unknown) => {
        if (!end.signal.aborted && !(error instanceof NotConnected)) failed(error)
      })
      .finally(() => {
        asking = false
        if (end.signal.aborted) return
        timer = setTimeout(again, connection.value === 'unreachable' ? WHEN_UNREACHABLE_MS : everyMs)
      })
  }
  document.addEventListener('visibilitychange', again)
  // Another key is worth another try.
  const unfollow = effect(() => {
    void key.value
    queueMicrotask(again)
  })
  return () => {
    end.abort(new DOMException('no longer shown', 'AbortError'))
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', again)
    unfollow()
  }
}
