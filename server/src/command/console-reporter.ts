import {
  describeEvent,
  printable,
  printableJson,
  type ServerEvent,
  type ServerEventListener,
} from '../server-event.ts'

export interface ConsoleReporterOptions {
  readonly write: (line: string) => void
  /** True writes events as JSON, one object each, those that are no problems too. @defaultValue `false` */
  readonly json?: boolean | undefined
  /** Milliseconds since the Unix epoch. */
  readonly wallClock?: (() => number) | undefined
}

/** A client that retries would fill the console: the same problem is written once in this time, then counted. */
const REPEAT_MS = 10_000
const MAX_REMEMBERED = 1000
/** Whoever makes up new ones fills it no more: of each kind so many are written in this time, then counted. */
const KIND_LINES = 20
const KIND_MS = 60_000
const MAX_LINE = 2_000

interface Kind {
  sinceMs: number
  lines: number
  /** Not written, since something of this kind was written last. */
  skipped: number
}

/** Writes what the server reports as lines: problems only as text, everything as JSON. */
export function consoleReporter(options: ConsoleReporterOptions): ServerEventListener {
  const { write, json = false, wallClock = Date.now } = options
  const written = new Map<string, { atMs: number; repeats: number }>()
  const kinds = new Map<string, Kind>()

  /** @returns How many of its kind were not written before it; `undefined` when it is not to be written either. */
  const admit = (event: ServerEvent, nowMs: number): number | undefined => {
    const name = nameOf(event)
    const kind = kinds.get(name) ?? { sinceMs: nowMs, lines: 0, skipped: 0 }
    kinds.set(name, kind)
    if (Math.abs(nowMs - kind.sinceMs) >= KIND_MS) Object.assign(kind, { sinceMs: nowMs, lines: 0 })
    kind.lines += 1
    if (kind.lines > KIND_LINES) {
      kind.skipped += 1
      return undefined
    }
    const { skipped } = kind
    kind.skipped = 0
    return skipped
  }

  return (event) => {
    const now = wallClock()
    const time = new Date(now).toISOString()
    const text = describeEvent(event)
    if (text === undefined) {
      if (json) write(printableJson({ time, level: levelOf(event), ...event }))
      return
    }
    const before = written.get(text)
    if (before !== undefined && Math.abs(now - before.atMs) < REPEAT_MS) {
      before.repeats += 1
      return
    }
    const skipped = admit(event, now)
    if (skipped === undefined) return
    if (written.size >= MAX_REMEMBERED) written.clear()
    written.set(text, { atMs: now, repeats: 0 })
    const counts = { repeats: before?.repeats ?? 0, skipped }
    if (json) write(printableJson({ time, level: levelOf(event), ...event, ...withoutZeros(counts) }))
    else write(`${time} ${levelOf(event).toUpperCase()} ${printable(cut(text))}${countsText(event, counts)}`)
    const isLast = kinds.get(nameOf(event))?.lines === KIND_LINES
    if (!isLast) return
    const note = `more of this kind (${nameOf(event)}) are counted and not written for a minute: see /api/stats`
    if (json) write(printableJson({ time, level: 'warn', type: 'warning', message: note }))
    else write(`${time} WARN ${note}`)
  }
}

function nameOf(event: ServerEvent): string {
  return event.type === 'refused' ? `refused with ${event.status}` : event.type
}

function cut(text: string): string {
  return text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text
}

function countsText(event: ServerEvent, { repeats, skipped }: { repeats: number; skipped: number }): string {
  const same = repeats > 0 ? ` (and ${repeats} times more since)` : ''
  return skipped > 0 ? `${same} (and ${skipped} others ${nameOf(event)} since)` : same
}

function withoutZeros(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
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
