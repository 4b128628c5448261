import { recordShownLog } from '../../tracing/logs/record-log.ts'
import { harmless } from '../patching/harmless.ts'
import { wrapLoaded } from '../patching/loads.ts'
import { levelNameOf, type WinstonInfo } from './info-event.ts'
import { InfoRecorder, RECORDS } from './info-recorder.ts'

/** The package, or the path of its main file, by which modules import it. */
const WINSTON = /(?:^winston|[\\/]winston[\\/]lib[\\/]winston(?:\.js)?)$/

interface Logger {
  readonly transports?: readonly { readonly [RECORDS]?: boolean }[]
  isLevelEnabled(level: string): boolean
}
/** Passes an info on to the transports, after the logger's format. */
type Push = (this: Logger, info: unknown, ...rest: unknown[]) => unknown

/**
 * Records what every logger of winston logs, as the transport of this package does; those that have such a transport are left
 * to it. Sinks that show logs at once do not show it: the logger does.
 *
 * @returns Ends it.
 */
export function recordWinstonLoggers(): () => void {
  const infos = new InfoRecorder({ target: 'winston', recordedAs: new Map(), record: recordShownLog })
  const record = harmless((logger: Logger, info: unknown) => {
    if (isLogged(info) && isTaken(logger, info)) infos.record(info)
  })
  return wrapLoaded<Push>(
    WINSTON,
    (exports) => {
      const holder = (exports as { readonly Logger?: { readonly prototype?: Record<PropertyKey, Push> } })
        .Logger?.prototype
      return holder === undefined ? undefined : { holder, name: 'push' }
    },
    (push, isOn) =>
      function (...args) {
        if (isOn()) record(this, args[0])
        return push.apply(this, args)
      },
  )
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
