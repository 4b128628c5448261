/**
 * A transport for winston.
 *
 * @module micromegas/interop/winston
 */

import { MicromegasWinstonTransport as LogTransport } from './winston/log-transport.ts'
import type { MicromegasWinstonTransportOptions, WinstonTransportBase } from './winston/transport-types.ts'

export type { LevelName } from '../model/level.ts'
export type { WinstonInfo } from './winston/info-event.ts'
export type {
  MicromegasWinstonTransportOptions,
  WinstonFormat,
  WinstonTransportBase,
} from './winston/transport-types.ts'

/**
 * A transport for winston 3, on `winston-transport`, which winston brings along. Each event has the message as the
 * logger's format left it (use `format.splat()` for `%s`), without colours, with the stack of an error below, its causes
 * and the errors it is made of; `label` (of `format.label`) as its target; every other field as a property, the
 * `timestamp` of `format.timestamp` excepted. Levels are those of winston's sets: `emerg`, `alert` and `crit` are fatal,
 * `notice` is info, `http` and `verbose` are debug, `silly` is trace. Others are info, with the level's name as the
 * property `level`.
 *
 * @throws `TypeError` when the option `levels` names a level that does not exist.
 * @example
 * ```ts
 * const log = winston.createLogger({ level: 'debug', transports: [new MicromegasWinstonTransport({ target: 'shop' })] })
 * ```
 */
export const MicromegasWinstonTransport: new (
  options?: MicromegasWinstonTransportOptions,
) => MicromegasWinstonTransport = LogTransport

/** See the class of the same name. */
export interface MicromegasWinstonTransport extends WinstonTransportBase {
  /** Records one info, whatever its level, and emits `logged` in the next turn of the event loop. Never throws. */
  log(info: unknown, next?: () => void): boolean
}
