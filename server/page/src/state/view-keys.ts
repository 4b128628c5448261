import { useEffect } from 'preact/hooks'

/** Keys of the view that is shown, besides those of the page. */
export const viewKeys = new Map<string, () => void>()

/** Gives the view's keys their meaning while it is shown. */
export function useViewKeys(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    for (const [key, act] of Object.entries(keys)) viewKeys.set(key, act)
    return () => {
      for (const [key, act] of Object.entries(keys)) if (viewKeys.get(key) === act) viewKeys.delete(key)
    }
  })
}
