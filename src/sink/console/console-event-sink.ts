import type { Writable } from 'node:stream'
import type { styleText } from 'node:util'
import { waitUntil } from '../../http/wait-until.ts'
import { EMPTY_REPORT } from '../../model/delivery-report.ts'
import type { DeliveryReport, EventSink, FlushOptions, LogEntry } from '../../model/event-sink.ts'
import { Level, levelName } from '../../model/level.ts'
import { builtin } from '../../model/runtime/builtins.ts'
import { platformClock } from '../../model/runtime/clock.ts'
import { printableText, printableWord } from '../../model/text/printable.ts'
import { CONSOLE_TARGET } from '../../tracing/logs/record-log.ts'
import { LineWriter } from './line-writer.ts'

export interface ConsoleEventSinkOptions {
  /** Where info, debug and trace logs go. @defaultValue `process.stdout` */
  readonly stdout?: Writable | undefined
  /** Where fatal, error and warn logs go, as those of `console` do. @defaultValue `process.stderr` */
  readonly stderr?: Writable | undefined
  /**
   * Whether lines are coloured.
   * @defaultValue what Node makes of the stream: whether it is a terminal, `NO_COLOR`, `NODE_DISABLE_COLORS`, `FORCE_COLOR`
   */
  readonly colors?: boolean | undefined
}

type Style = Parameters<typeof styleText>[0]

interface Output {
  readonly writer: LineWriter
  readonly colored: boolean
}

const STYLES: Readonly<Record<number, Style>> = {
  [Level.Fatal]: ['bold', 'red'],
  [Level.Error]: 'red',
  [Level.Warn]: 'yellow',
  [Level.Info]: 'green',
  [Level.Debug]: 'blue',
  [Level.Trace]: 'gray',
}

/** Longest message shown, in UTF-16 code units; what is uploaded is not cut. */
const MAX_MESSAGE_CHARS = 64 * 1024
/** How long a flush waits for a reader. */
const FLUSH_MS = 1_000

/**
 * Shows logs on the console, one line each: time, level, target, message, properties. Lines that follow in a message, such
 * as those of a stack, are indented. Control characters are shown as escapes.
 */
export class ConsoleEventSink implements EventSink {
  readonly #options: ConsoleEventSinkOptions
  /** Made when first written to: a stream of Node's takes a start 2 ms. */
  #stdout: Output | undefined
  #stderr: Output | undefined
  #closed = false

  constructor(options: ConsoleEventSinkOptions = {}) {
    this.#options = options
  }

  onStartup(): void {}

  onLog(entry: LogEntry): void {
    // What came from the console is there already.
    if (this.#closed || entry.target === CONSOLE_TARGET) return
    const { writer, colored } = this.#outputOf(entry.level)
    writer.write(formatEntry(entry, colored))
  }

  /** Waits until the lines are written, up to a second. */
  async flush(options: FlushOptions = {}): Promise<DeliveryReport> {
    const written = Promise.all([this.#stdout?.writer.flush(), this.#stderr?.writer.flush()])
    await waitUntil(platformClock, written, FLUSH_MS, options.signal)
    return EMPTY_REPORT
  }

  shutdown(): Promise<DeliveryReport> {
    this.#closed = true
    return this.flush()
  }

  #outputOf(level: Level): Output {
    const { stdout, stderr, colors } = this.#options
    if (level <= Level.Warn) {
      this.#stderr ??= output(stderr ?? process.stderr, colors)
      return this.#stderr
    }
    this.#stdout ??= output(stdout ?? process.stdout, colors)
    return this.#stdout
  }
}

/** A log event as a line of text, without its line end. */
export function formatEntry(entry: LogEntry, colored: boolean): string {
  const style = (format: Style, text: string): string =>
    colored ? builtin('node:util').styleText(format, text, { validateStream: false }) : text
  const { level, target, msg, properties, timeMs } = entry
  const shown =
    msg.length > MAX_MESSAGE_CHARS
      ? `${msg.slice(0, MAX_MESSAGE_CHARS)}… (${msg.length - MAX_MESSAGE_CHARS} more characters)`
      : msg
  const name = levelName(level).toUpperCase().padEnd(5)
  let line = `${style('gray', new Date(timeMs).toISOString())} ${style(STYLES[level] ?? 'gray', name)} `
  if (target !== '') line += `${style('cyan', printableWord(target))}: `
  line += printableText(shown)
  for (const key in properties) {
    line += ` ${style('gray', `${printableWord(key)}=`)}${printableWord(properties[key] ?? '')}`
  }
  return line
}

function output(stream: Writable, colors: boolean | undefined): Output {
  return { writer: new LineWriter(stream), colored: colors ?? wantsColors(stream) }
}

/** Node's own rules, by way of trying them: it leaves text alone for a stream that is to have no colours. */
function wantsColors(stream: Writable): boolean {
  return (
    builtin('node:util').styleText('red', '-', {
      stream: stream as NodeJS.WritableStream,
      validateStream: true,
    }) !== '-'
  )
}
