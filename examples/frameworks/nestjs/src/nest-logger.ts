import type { LoggerService } from '@nestjs/common'
import { Level, recordLog } from 'micromegas'

/** What Nest and its `Logger` say, under the target of their context: `NestFactory`, `OrdersService`. */
export class NestLogger implements LoggerService {
  fatal(message: unknown, ...rest: unknown[]): void {
    record(Level.Fatal, message, rest)
  }
  error(message: unknown, ...rest: unknown[]): void {
    record(Level.Error, message, rest)
  }
  warn(message: unknown, ...rest: unknown[]): void {
    record(Level.Warn, message, rest)
  }
  log(message: unknown, ...rest: unknown[]): void {
    record(Level.Info, message, rest)
  }
  debug(message: unknown, ...rest: unknown[]): void {
    record(Level.Debug, message, rest)
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    record(Level.Trace, message, rest)
  }
}

/** Nest passes the context last; before it come further messages, or the stack of an error. */
function record(level: Level, message: unknown, rest: readonly unknown[]): void {
  const context = rest.at(-1)
  const texts = [message, ...rest.slice(0, -1)].filter((text) => text !== undefined)
  recordLog(level, typeof context === 'string' ? context : 'nest', texts.map(textOf).join('\n'))
}

function textOf(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
