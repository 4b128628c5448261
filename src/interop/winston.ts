import type { Writable } from 'node:stream'
import TransportStream from 'winston-transport'
import { Level, type LevelName } from '../model/level.ts'
import { dispatch } from '../tracing/dispatch.ts'
import { eventPropertySet } from '../tracing/property-set.ts'
import { recordLog } from '../tracing/record-log.ts'
import { levelOfName, resolveRecordedAs } from './level-names.ts'
import { levelNameOf, readInfo, type WinstonInfo } from './winston/info-event.ts'

export type { LevelName } from '../model/level.ts'
export type { WinstonInfo } from './winston/info-event.ts'

/** A format of winston's. */
export interface WinstonFormat {
  options?: object
  transform: (info: WinstonInfo, options?: unknown) => WinstonInfo | boolean
}

export interface MicromegasWinstonTransportOptions {
  /** Target of events that have no `label`. @defaultValue `winston` */
  readonly target?: string | undefined
  /** Least severe of the logger's levels that is recorded. @defaultValue the logger's own level */
  readonly level?: string | undefined
  /** Applied after the logger's format. @defaultValue none */
  readonly format?: WinstonFormat | undefined
  /** Records nothing. @defaultValue `false` */
  readonly silent?: boolean | undefined
  /** Records uncaught exceptions that winston handles. @defaultValue `false`: running telemetry records them itself */
  readonly handleExceptions?: boolean | undefined
  /** The same for unhandled rejections. @defaultValue `false` */
  readonly handleRejections?: boolean | undefined
  /** What levels of the logger's own are recorded as, and such as are to be recorded otherwise than documented. */
  readonly levels?: Readonly<Record<string, LevelName>> | undefined
}

/** What a transport has from `winston-transport`: winston reads and sets it. */
export interface WinstonTransportBase extends Writable {
  level?: string
  format?: WinstonFormat
  silent?: boolean
  handleExceptions?: boolean
  handleRejections?: boolean
  /** Severity numbers by level, 0 the most severe: those of the logger that the transport was added to first. */
  levels?: Readonly<Record<string, number>>
  /** That logger, while the transport is one of its own. */
  parent?: { readonly level?: string } | null
}

// Typed here, so that declarations need neither the package nor a compiler option for how it exports its class.
const Transport = TransportStream as unknown as new (
  options: MicromegasWinstonTransportOptions,
) => WinstonTransportBase

/** Taken when the module is loaded: the host may fake its timers. */
const nextTurn = setImmediate
interface RecordedLevel {
  readonly level: Level
  readonly ownName: string | undefined
}

/** Levels that are remembered: names come from calls, which may invent them. */
const MAX_LEVELS = 64
/** Infos that are kept for listeners of `logged` that are not there yet. */
const MAX_UNHEARD = 64

/**
 * A transport for winston 3, on `winston-transport`, which winston brings along. Each event has the message as the
 * logger's format left it (use `format.splat()` for `%s`), without colours, with the stack of an error below, its causes
 * and the errors it is made of; `label` (of `format.label`) as its target; every other field as a property, the
 * `timestamp` of `format.timestamp` excepted. Levels are those of winston's sets: `emerg`, `alert` and `crit` are fatal,
 * `notice` is info, `http` and `verbose` are debug, `silly` is trace. Others are info, with the level's name as the
 * property `level`.
 *
 * @example
 * ```ts
 * const log = winston.createLogger({ level: 'debug', transports: [new MicromegasWinstonTransport({ target: 'shop' })] })
 * ```
 */
export class MicromegasWinstonTransport extends Transport {
  readonly #target: string
  readonly #recordedAs: ReadonlyMap<string, Level>
  /** By the name of the logger's level. */
  readonly #levels = new Map<string, RecordedLevel>()
  /** Infos since the last turn of the event loop. */
  #logged: unknown[] = []

  /** @throws `TypeError` when `levels` names a level that there is not. */
  constructor(options: MicromegasWinstonTransportOptions = {}) {
    super(options)
    this.setMaxListeners(30) // as many as winston's own transports allow: each logger that shares it adds some
    this.#target = options.target ?? 'winston'
    this.#recordedAs = resolveRecordedAs(options.levels, 'a winston transport')
  }

  /** Records one info, whatever its level, and emits `logged` in the next turn of the event loop. Never throws. */
  log(info: unknown, next?: () => void): boolean {
    try {
      this.#record(info as WinstonInfo)
    } catch {
      dispatch.log.countInvalid() // an info that cannot be read
    }
    this.#announce(info)
    next?.()
    return true
  }

  #record(info: WinstonInfo): void {
    const { level, ownName } = this.#levelOf(levelNameOf(info))
    const { target, message, properties } = readInfo(info, this.#target)
    const all = ownName === undefined ? properties : Object.assign(properties ?? {}, { level: ownName })
    recordLog(level, target, message, all === undefined ? undefined : eventPropertySet(all))
  }

  /** The level of an event, and the logger's name of it where the level does not tell. */
  #levelOf(name: string): RecordedLevel {
    const seen = this.#levels.get(name)
    if (seen !== undefined) return seen
    const known = levelOfName(name)
    const level = this.#recordedAs.get(name) ?? known ?? Level.Info
    const recorded = { level, ownName: known === undefined && name !== '' ? name : undefined }
    if (this.#levels.size < MAX_LEVELS) this.#levels.set(name, recorded)
    return recorded
  }

  #announce(info: unknown): void {
    if (this.#logged.length >= MAX_UNHEARD && this.listenerCount('logged') === 0) return
    if (this.#logged.push(info) > 1) return
    nextTurn(() => {
      const logged = this.#logged
      this.#logged = []
      for (const one of logged) this.emit('logged', one)
    })
  }
}
