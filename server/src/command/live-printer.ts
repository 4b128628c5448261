import { styleText } from 'node:util'
import {
  type AsyncSpanEvent,
  type DecodedLogEntry,
  type DecodedMeasure,
  type DecodedProperties,
  isSamePlace,
  levelName,
} from 'micromegas/wire'
import type { PrintTarget } from '../options.ts'
import type { BlockEvents, ThreadSpanEdge } from '../scan/block-views.ts'
import type { OpenBlock } from '../scan/catalog.ts'
import { printable } from '../server-event.ts'

type Style = Parameters<typeof styleText>[0]

const LEVEL_STYLES: Readonly<Record<number, Style>> = {
  1: ['bold', 'red'],
  2: 'red',
  3: 'yellow',
  4: 'green',
  5: 'blue',
  6: 'gray',
}
/** UTF-16 units of one message that are shown. */
const MAX_MESSAGE = 4_000
/** Spans that are open at a time, in all processes together; the oldest are forgotten first. */
const MAX_OPEN_SPANS = 10_000

/** The synchronous spans that are open at the end of a stream's latest block. */
interface CallStack {
  endTicks: bigint
  readonly open: ThreadSpanEdge[]
}

/**
 * Writes the events of blocks as lines while they come: logs, metrics, images, and spans when they end. The events of a
 * block are in order of time; blocks come when their producers send them.
 */
export class LivePrinter {
  readonly #target: PrintTarget
  readonly #hasColour: boolean
  readonly #stacks = new Map<string, CallStack>()
  /** Begins of async spans by process and span id. */
  readonly #asyncBegins = new Map<string, AsyncSpanEvent>()

  constructor(target: PrintTarget) {
    this.#target = target
    this.#hasColour = target.hasColors?.() === true
  }

  print(block: OpenBlock, events: BlockEvents): void {
    const lines: { readonly timeNs: bigint; readonly text: string }[] = []
    for (const log of events.logs) lines.push({ timeNs: log.timeNs, text: this.#log(log) })
    for (const measure of events.measures)
      lines.push({ timeNs: measure.timeNs, text: this.#measure(measure) })
    for (const { timeNs, name, format, data } of events.images) {
      lines.push({
        timeNs,
        text: `${this.#tag('IMAGE')} ${printable(`${name} ${format}`)} ${data.length} bytes`,
      })
    }
    lines.push(...this.#threadSpans(block, events.threadSpans), ...this.#asyncSpans(block, events.asyncSpans))
    lines.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0))
    const origin = this.#style('gray', `[${printable(shortName(block.process.exe))}]`)
    let text = ''
    for (const line of lines)
      text += `${this.#style('gray', clockTime(line.timeNs))} ${line.text} ${origin}\n`
    if (text !== '') this.#target.write(text)
  }

  #log({ level, target, msg, properties }: DecodedLogEntry): string {
    const name = levelName(level).toUpperCase().padEnd(6)
    const style = LEVEL_STYLES[level]
    const label = style === undefined ? name : this.#style(style, name)
    const cut = msg.length > MAX_MESSAGE ? `${msg.slice(0, MAX_MESSAGE)}… (${msg.length} characters)` : msg
    // Stack traces keep their lines, indented: no line of a message can pass for an entry.
    const indented = cut.split(/\r?\n/).map(printable).join('\n    ')
    return `${label} ${this.#source(target)} ${indented}${this.#properties(properties)}`
  }

  #measure({ name, unit, value, target, properties }: DecodedMeasure): string {
    const amount = `${name} = ${formatNumber(value)} ${unit}`
    return `${this.#tag('METRIC')} ${this.#source(target)} ${printable(amount)}${this.#properties(properties)}`
  }

  #threadSpans(
    { stored }: OpenBlock,
    events: readonly ThreadSpanEdge[],
  ): { readonly timeNs: bigint; readonly text: string }[] {
    if (!this.#stacks.has(stored.streamId) && events.length === 0) return []
    let stack = this.#stacks.get(stored.streamId)
    // A block that does not follow the last one: what was open is unknown.
    if (stack === undefined || stack.endTicks !== stored.beginTicks) {
      stack = { endTicks: 0n, open: [] }
      this.#stacks.set(stored.streamId, stack)
    }
    stack.endTicks = stored.endTicks
    const ends: { timeNs: bigint; text: string }[] = []
    for (const event of events) {
      if (event.phase === 'begin') {
        stack.open.push(event)
        continue
      }
      const begin = stack.open.pop()
      const isMatch = begin !== undefined && isSamePlace(begin.place, event.place)
      const durationNs = isMatch ? event.timeNs - begin.timeNs : undefined
      ends.push({
        timeNs: event.timeNs,
        text: this.#span(event.place, stack.open.length, durationNs, event.properties),
      })
    }
    if (this.#stacks.size > MAX_OPEN_SPANS) deleteOldest(this.#stacks)
    if (stack.open.length > MAX_OPEN_SPANS) stack.open.splice(0, stack.open.length - MAX_OPEN_SPANS)
    return ends
  }

  #asyncSpans(
    { stream }: OpenBlock,
    events: readonly AsyncSpanEvent[],
  ): { readonly timeNs: bigint; readonly text: string }[] {
    const ends: { timeNs: bigint; text: string }[] = []
    for (const event of events) {
      const key = `${stream.processId}:${event.spanId}`
      if (event.phase === 'begin') {
        this.#asyncBegins.set(key, event)
        if (this.#asyncBegins.size > MAX_OPEN_SPANS) deleteOldest(this.#asyncBegins)
        continue
      }
      const begin = this.#asyncBegins.get(key)
      this.#asyncBegins.delete(key)
      const durationNs = begin === undefined ? undefined : event.timeNs - begin.timeNs
      ends.push({ timeNs: event.timeNs, text: this.#span(event, event.depth, durationNs, event.properties) })
    }
    return ends
  }

  #span(
    place: { readonly name: string; readonly target: string },
    depth: number,
    durationNs: bigint | undefined,
    properties: DecodedProperties,
  ): string {
    const indent = '  '.repeat(Math.min(depth, 20))
    const duration = durationNs === undefined ? '(begin not seen)' : formatDuration(durationNs)
    return `${this.#tag('SPAN')} ${this.#source(place.target)} ${indent}${printable(place.name)} ${duration}${this.#properties(properties)}`
  }

  #properties(properties: DecodedProperties): string {
    const pairs = Object.entries(properties).map(([key, value]) => `${key}=${value}`)
    return pairs.length === 0 ? '' : ` ${this.#style('gray', printable(pairs.join(' ')))}`
  }

  #tag(name: string): string {
    return this.#style('cyan', name.padEnd(6))
  }

  #source(target: string): string {
    return this.#style('magenta', printable(target))
  }

  #style(style: Style, text: string): string {
    return this.#hasColour ? styleText(style, text, { validateStream: false }) : text
  }
}

function deleteOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next()
  if (oldest.done !== true) map.delete(oldest.value)
}

/** `12:34:56.789`, local time. */
function clockTime(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n))
  const two = (value: number): string => String(value).padStart(2, '0')
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)))
}

function formatDuration(ns: bigint): string {
  const value = Number(ns)
  if (value < 1e3) return `${value} ns`
  if (value < 1e6) return `${formatNumber(value / 1e3)} µs`
  if (value < 1e9) return `${formatNumber(value / 1e6)} ms`
  return `${formatNumber(value / 1e9)} s`
}

function shortName(exe: string): string {
  return exe.split(/[\\/]/).pop() || exe
}
