import { recordShownLog } from '../../tracing/logs/record-log.ts'
import { harmless } from '../patching/harmless.ts'
import { onLoad } from '../patching/loads.ts'
import { levelNameOf, type WinstonInfo } from './info-event.ts'
import { InfoRecorder, RECORDS } from './info-recorder.ts'

/** The package, or the path of its main file, by which modules import it. */
const WINSTON = /(?:^winston|[\\/]winston[\\/]lib[\\/]winston(?:\.js)?)$/

interface Logger {
  readonly transports?: readonly { readonly [RECORDS]?: boolean }[]
  isLevelEnabled(level: string): boolean
  /** Passes an info on to the transports, after the logger's format. */
  push(info: unknown, ...rest: unknown[]): unknown
}

/**
 * Records what every logger of winston logs, as the transport of this package does; those that have such a transport are left
 * to it. Sinks that show logs at once do not show it: the logger does.
 *
 * @returns Ends it.
 */
export function recordWinstonLoggers(): () => void {
  let isOn = true
  const infos = new InfoRecorder({ target: 'winston', recordedAs: new Map(), record: recordShownLog })
  const record = harmless((logger: Logger, info: unknown) => {
    if (isOn && isLogged(info) && isTaken(logger, info)) infos.record(info)
  })
  const seen = new WeakSet<object>()
  const stop = onLoad(WINSTON, (exports) => {
    const methods = (exports as { readonly Logger?: { readonly prototype?: Logger } }).Logger?.prototype
    if (typeof methods?.push !== 'function' || seen.has(methods)) return
    seen.add(methods)
    const { push } = methods
    methods.push = function (...args) {
      record(this, args[0])
      return push.apply(this, args)
    }
  })
  return () => {
    isOn = false
    stop()
  }
}

/** A format may have taken an info out, and what ends the process is recorded where it does so. */
function isLogged(info: unknown): info is WinstonInfo {
  if (typeof info !== 'object' || info === null) return false
  const { exception, rejection } = info as WinstonInfo
  return exception !== true && rejection !== true
}

/** Whether the logger's level lets it through, or that of one of its transports. */
function isTaken(logger: Logger, info: WinstonInfo): boolean {
  return logger.isLevelEnabled(levelNameOf(info)) && !logger.transports?.some((one) => one[RECORDS] === true)
}
