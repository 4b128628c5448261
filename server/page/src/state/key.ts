import { signal } from '@preact/signals'

const ITEM = 'micromegas.key'

/** The API key or token of this tab; it is never in the address. */
export const key = signal<string | undefined>(sessionStorage.getItem(ITEM) ?? undefined)

export function useKey(value: string | undefined): void {
  if (value === undefined) sessionStorage.removeItem(ITEM)
  else sessionStorage.setItem(ITEM, value)
  key.value = value
}

/** Takes the key out of `#key=…`, as the server's start message gives it, and out of the address. @returns Whether there was one. */
export function takeKeyFromAddress(): boolean {
  const [, value] = /^#key=(.+)$/.exec(location.hash) ?? []
  if (value === undefined) return false
  history.replaceState(null, '', `${location.pathname}${location.search}`)
  useKey(decodeURIComponent(value))
  return true
}
