import { Level } from '../model/level.ts'
import { MAX_MESSAGE_CHARS } from '../tracing/limits.ts'
import { recordShownLog } from '../tracing/logs/record-log.ts'
import { renderValue } from '../tracing/values/render-value.ts'
import { harmless } from './patching/harmless.ts'
import { wrapLoaded } from './patching/loads.ts'
import { withStack } from './with-stack.ts'

const MODULE = /[\\/]console-logger\.service(?:\.js)?$/
const LEVELS: ReadonlyMap<unknown, Level> = new Map([
  ['fatal', Level.Fatal],
  ['error', Level.Error],
  ['warn', Level.Warn],
  ['log', Level.Info],
  ['debug', Level.Debug],
  ['verbose', Level.Trace],
])

/** Messages, their context, the level's name, where they are written to, and the stack of an error. */
type Printed = [messages: unknown, context?: unknown, level?: unknown, output?: unknown, stack?: unknown]
type PrintMessages = (this: unknown, ...args: Printed) => unknown
type Holder = Record<PropertyKey, PrintMessages>

/**
 * Records what NestJS logs, and its `Logger`, while that is the logger of its own: what it prints, under the target of the
 * context. Sinks that show logs at once do not show it: NestJS does.
 *
 * @returns Ends it.
 */
export function recordNestLoggers(): () => void {
  const record = harmless(([messages, context, name = 'log', , stack]: Printed) => {
    if (!Array.isArray(messages)) return
    const target = typeof context === 'string' && context !== '' ? context : 'nest'
    const text = messages.map((message) => renderValue(message, MAX_MESSAGE_CHARS)).join('\n')
    const whole = typeof stack === 'string' ? withStack(text, stack) : text
    recordShownLog(LEVELS.get(name) ?? Level.Info, target, whole)
  })
  return wrapLoaded<PrintMessages>(
    MODULE,
    (exports) => {
      const { ConsoleLogger } = exports as { readonly ConsoleLogger?: { readonly prototype: Holder } }
      return ConsoleLogger && { holder: ConsoleLogger.prototype, name: 'printMessages' }
    },
    (printMessages, isOn) =>
      function (...args) {
        if (isOn()) record(args)
        return printMessages.apply(this, args)
      },
  )
}
