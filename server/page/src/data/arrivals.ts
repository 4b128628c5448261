import { effect, signal } from '@preact/signals'
import { askServer, connection } from './ask-server.ts'

/** What the server stored: a process, or a block of one. */
export interface Arrival {
  readonly process_id: string
  /** Those of `log`, `metrics`, `cpu` and `image` that the block has events of; a process where they are missing. */
  readonly tags?: readonly string[]
}

/** Whether the server tells of what it stores; until then one has to ask again and again. */
export const isTold = signal(false)

const AGAIN_MS = 2000
const listeners = new Set<(arrivals: readonly Arrival[]) => void>()

/** Tells of what is stored from now on. @returns Ends that. */
export function onArrival(listener: (arrivals: readonly Arrival[]) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Follows the server while the page is seen: a browser has few connections to one host, and hidden pages need none. */
export function followArrivals(): () => void {
  let end: AbortController | undefined
  const begin = (): void => {
    if (document.hidden || connection.value !== 'connected') {
      if (document.hidden) end?.abort()
      return
    }
    if (end !== undefined) return
    const own = new AbortController()
    end = own
    follow(own.signal)
      .catch(() => undefined) // whoever asks for data says what is wrong with the connection
      .finally(() => {
        isTold.value = false
        setTimeout(() => {
          end = undefined
          begin()
        }, AGAIN_MS)
      })
  }
  document.addEventListener('visibilitychange', begin)
  const unfollow = effect(() => {
    void connection.value
    queueMicrotask(begin)
  })
  return () => {
    document.removeEventListener('visibilitychange', begin)
    unfollow()
    end?.abort()
  }
}

async function follow(stop: AbortSignal): Promise<void> {
  const response = await askServer('api/live', { signal: stop })
  if (!response.ok || response.body === null) return
  isTold.value = true
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let held = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const events = (held + value).split('\n\n')
    held = events.pop()!
    for (const event of events) {
      const [, data] = /^data: (.*)$/m.exec(event) ?? []
      if (data === undefined) continue
      const { arrivals } = JSON.parse(data) as { readonly arrivals: readonly Arrival[] }
      for (const listener of listeners) listener(arrivals)
    }
  }
}
