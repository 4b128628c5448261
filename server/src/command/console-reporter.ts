import { describeEvent, printable, type ServerEvent, type ServerEventListener } from '../server-event.ts'

export interface ConsoleReporterOptions {
  readonly write: (line: string) => void
  /** True writes every event as one JSON object. @defaultValue `false` */
  readonly json?: boolean | undefined
  /** Milliseconds since the Unix epoch. */
  readonly wallClock?: (() => number) | undefined
}

/** A client that retries would fill the console: the same refusal is written once in this time, then counted. */
const REPEAT_MS = 10_000
const MAX_REMEMBERED = 1000

/** Writes what the server reports as lines: problems only as text, everything as JSON. */
export function consoleReporter(options: ConsoleReporterOptions): ServerEventListener {
  const { write, json = false, wallClock = Date.now } = options
  const written = new Map<string, { atMs: number; repeats: number }>()

  return (event) => {
    const now = wallClock()
    if (json) {
      write(JSON.stringify({ time: new Date(now).toISOString(), level: levelOf(event), ...event }))
      return
    }
    const text = describeEvent(event)
    if (text === undefined) return
    const before = written.get(text)
    if (before !== undefined && now - before.atMs < REPEAT_MS) {
      before.repeats += 1
      return
    }
    if (written.size >= MAX_REMEMBERED) written.clear()
    written.set(text, { atMs: now, repeats: 0 })
    const repeats =
      before !== undefined && before.repeats > 0 ? ` (and ${before.repeats} times more since)` : ''
    write(`${new Date(now).toISOString()} ${levelOf(event).toUpperCase()} ${printable(text)}${repeats}`)
  }
}

function levelOf(event: ServerEvent): 'info' | 'warn' | 'error' {
  switch (event.type) {
    case 'stored':
    case 'duplicate':
    case 'query':
      return 'info'
    case 'warning':
      return 'warn'
    case 'undecodable':
      return 'error'
    case 'refused':
      return event.status >= 500 ? 'error' : 'warn'
  }
}
