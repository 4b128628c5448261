import { batch, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { poll } from './polling.ts'
import { isLive } from './range.ts'

const EVERY_MS = 5000

export interface Answer<T> {
  /** The last one; it stays while the next is asked for. */
  readonly value: T | undefined
  /** Why the last question was not answered. */
  readonly error: unknown
}

/**
 * What the server answers: asked for at once, whenever the inputs change, and again and again while the range ends now.
 *
 * @param ask - Is given what it answered last to the same inputs.
 */
export function useAnswer<T>(
  ask: (signal: AbortSignal, before: T | undefined) => Promise<T>,
  inputs: readonly unknown[],
  { when = true, everyMs = EVERY_MS }: { readonly when?: boolean; readonly everyMs?: number } = {},
): Answer<T> {
  const value = useSignal<T | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  useEffect(() => {
    if (!when) return
    let before: T | undefined
    const again = async (signal: AbortSignal): Promise<void> => {
      if (before !== undefined && !isLive.peek()) return
      const answer = await ask(signal, before)
      before = answer
      batch(() => {
        value.value = answer
        error.value = undefined
      })
    }
    const failed = (reason: unknown): void => {
      error.value = reason
    }
    return poll(again, failed, { everyMs })
  }, [when, everyMs, ...inputs])
  return { value: value.value, error: error.value }
}
