import TransportStream from 'winston-transport'
import { Level } from '../../model/level.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import { recordLog } from '../../tracing/record-log.ts'
import { eventPropertySet } from '../../tracing/values/property-set.ts'
import { levelOfName, resolveRecordedAs } from '../level-names.ts'
import { levelNameOf, readInfo, type WinstonInfo } from './info-event.ts'
import type { MicromegasWinstonTransportOptions, WinstonTransportBase } from './transport-types.ts'

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

/** Given a public type in `micromegas/interop/winston`, whose declaration is not to name what it extends. */
export class MicromegasWinstonTransport extends Transport {
  readonly #target: string
  readonly #recordedAs: ReadonlyMap<string, Level>
  /** By the name of the logger's level. */
  readonly #levels = new Map<string, RecordedLevel>()
  /** Infos since the last turn of the event loop. */
  #logged: unknown[] = []

  constructor(options: MicromegasWinstonTransportOptions = {}) {
    super(options)
    this.setMaxListeners(30) // as many as winston's own transports allow: each logger that shares it adds some
    this.#target = options.target ?? 'winston'
    this.#recordedAs = resolveRecordedAs(options.levels, 'a winston transport')
  }

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
