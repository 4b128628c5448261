import { Level } from '../model/level.ts'
import { builtin } from '../model/runtime/builtins.ts'
import { dispatch } from '../tracing/dispatch.ts'
import { CONSOLE_TARGET, recordLog } from '../tracing/logs/record-log.ts'

/** What is captured. The other methods write through one of these (`table`, `count`, `timeEnd`) or are not logs. */
const METHOD_LEVELS = {
  debug: Level.Debug,
  log: Level.Info,
  info: Level.Info,
  warn: Level.Warn,
  error: Level.Error,
  trace: Level.Trace,
  assert: Level.Error,
  dir: Level.Info,
  dirxml: Level.Info,
} as const

type Method = keyof typeof METHOD_LEVELS
type ConsoleFunction = (this: unknown, ...args: unknown[]) => unknown

/** Kept on the console itself, so that the ESM and the CommonJS build of this package install one capture together. */
const CAPTURE_KEY = Symbol.for('micromegas.consoleCapture')

/**
 * Records what the program writes through the global `console` as log events of the target `console`, besides writing it
 * as before: `debug` as debug, `log`, `info` and `dir` as info, `warn` as warn, `error` and failed `assert`s as error,
 * `trace` with its stack as trace. The message is what `util.format` makes of the arguments, without colours.
 *
 * What is written while a call is at work is not recorded again: by a sink that shows the event, or by methods that are
 * built on others. Functions taken off the console before (`const { log } = console`) are not captured.
 *
 * @returns Ends the capture. Where it was installed several times, the last one to be ended gives the console back;
 * calling one twice does nothing. Never throws, as the captured functions do not either unless they did before.
 */
export function installConsoleCapture(): () => void {
  const holder = console as { [CAPTURE_KEY]?: ConsoleCapture }
  const capture = holder[CAPTURE_KEY] ?? new ConsoleCapture()
  if (capture.installs === 0) {
    capture.install()
    Reflect.defineProperty(console, CAPTURE_KEY, { value: capture, configurable: true })
  }
  capture.installs++
  let isInstalled = true
  return () => {
    if (!isInstalled) return
    isInstalled = false
    if (--capture.installs > 0) return
    capture.uninstall()
    Reflect.deleteProperty(console, CAPTURE_KEY)
  }
}

class ConsoleCapture {
  installs = 0
  #active = false
  /** Whether a captured call is at work. */
  #busy = false
  readonly #captured: { method: Method; original: ConsoleFunction; wrapper: ConsoleFunction }[] = []

  install(): void {
    this.#active = true
    for (const method of Object.keys(METHOD_LEVELS) as Method[]) {
      const original: unknown = console[method]
      if (typeof original !== 'function') continue
      const wrapper = this.#wrap(method, original as ConsoleFunction)
      // A frozen console stays as it is.
      if (Reflect.set(console, method, wrapper)) {
        this.#captured.push({ method, original: original as ConsoleFunction, wrapper })
      }
    }
  }

  uninstall(): void {
    // Where somebody has wrapped the wrapper since, it stays in the chain and only passes on.
    this.#active = false
    for (const { method, original, wrapper } of this.#captured) {
      if (console[method] === wrapper) Reflect.set(console, method, original)
    }
  }

  #wrap(method: Method, original: ConsoleFunction): ConsoleFunction {
    const capture = this
    function captured(this: unknown, ...args: unknown[]): unknown {
      if (!capture.#active || capture.#busy) return Reflect.apply(original, this, args)
      capture.#busy = true
      try {
        capture.#record(method, args, captured)
        return Reflect.apply(original, this, args)
      } finally {
        capture.#busy = false
      }
    }
    // The host may tell methods by these, and stack traces show the name.
    Object.defineProperty(captured, 'name', { value: original.name, configurable: true })
    Object.defineProperty(captured, 'length', { value: original.length, configurable: true })
    return captured
  }

  #record(method: Method, args: unknown[], wrapper: ConsoleFunction): void {
    if (method === 'assert' && args[0]) return
    const level = METHOD_LEVELS[method]
    if (level > dispatch.filters.interopMaxLevelOf(CONSOLE_TARGET)) return
    try {
      recordLog(level, CONSOLE_TARGET, toMessage(method, args, wrapper))
    } catch {
      // An argument whose inspection throws. The original throws the same at the caller, who is owed it.
      dispatch.log.countInvalid()
    }
  }
}

function toMessage(method: Method, args: unknown[], wrapper: ConsoleFunction): string {
  if (method === 'assert') return toAssertMessage(args.slice(1))
  if (method === 'dir')
    return withoutColours(
      builtin('node:util').inspect(args[0], { customInspect: false, ...toOptions(args[1]) }),
    )
  const message = format(args)
  if (method !== 'trace') return message
  const holder: { stack?: unknown } = {}
  Error.captureStackTrace(holder, wrapper)
  const stack = typeof holder.stack === 'string' ? holder.stack : ''
  return `${message}\n${stack.slice(stack.indexOf('\n') + 1)}`
}

/** As Node puts it: the first argument joins the announcement where it is text, so that its placeholders count. */
function toAssertMessage(args: unknown[]): string {
  const [first, ...rest] = args
  if (args.length === 0) return 'Assertion failed'
  return typeof first === 'string'
    ? format([`Assertion failed: ${first}`, ...rest])
    : format(['Assertion failed:', ...args])
}

function toOptions(options: unknown): object {
  return typeof options === 'object' ? { ...options, colors: false } : {}
}

function format(args: unknown[]): string {
  return withoutColours(
    args.length === 1 && typeof args[0] === 'string'
      ? args[0]
      : builtin('node:util').formatWithOptions({ colors: false }, ...args),
  )
}

/** Programs colour what they write by escape sequences, which mean nothing where there is no terminal. */
function withoutColours(text: string): string {
  return text.includes('\u001b') ? builtin('node:util').stripVTControlCharacters(text) : text
}
