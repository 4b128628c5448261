import { Level } from '../../model/level.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import type { recordLog } from '../../tracing/logs/record-log.ts'
import { eventPropertySet } from '../../tracing/values/property-set.ts'
import { levelOfName } from '../level-names.ts'
import { levelNameOf, readInfo, type WinstonInfo } from './info-event.ts'

/** On transports of any copy of this package: what they are given is recorded. */
export const RECORDS: unique symbol = Symbol.for('micromegas.winston.records')
/** Levels that are remembered: names come from calls, which may invent them. */
const MAX_LEVELS = 64

interface RecordedLevel {
  readonly level: Level
  readonly ownName: string | undefined
}

export interface InfoRecorderConfig {
  /** Target of infos without a label. */
  readonly target: string
  /** Levels by name that are recorded otherwise than their names say. */
  readonly recordedAs: ReadonlyMap<string, Level>
  readonly record: typeof recordLog
}

/** Records what winston logs. */
export class InfoRecorder {
  readonly #config: InfoRecorderConfig
  /** By the name of the logger's level. */
  readonly #levels = new Map<string, RecordedLevel>()

  constructor(config: InfoRecorderConfig) {
    this.#config = config
  }

  /** Records an info. One that cannot be read is counted as invalid. */
  record(info: unknown): void {
    try {
      this.#record(info as WinstonInfo)
    } catch {
      dispatch.log.countInvalid()
    }
  }

  #record(info: WinstonInfo): void {
    const { level, ownName } = this.#levelOf(levelNameOf(info))
    const { target, message, properties } = readInfo(info, this.#config.target)
    const all = ownName === undefined ? properties : Object.assign(properties ?? {}, { level: ownName })
    const set = all === undefined ? undefined : eventPropertySet(all)
    this.#config.record(level, target, message, set)
  }

  /** The level of an event, and the logger's name of it where the level does not tell. */
  #levelOf(name: string): RecordedLevel {
    const seen = this.#levels.get(name)
    if (seen !== undefined) return seen
    const known = levelOfName(name)
    const level = this.#config.recordedAs.get(name) ?? known ?? Level.Info
    const recorded = { level, ownName: known === undefined && name !== '' ? name : undefined }
    if (this.#levels.size < MAX_LEVELS) this.#levels.set(name, recorded)
    return recorded
  }
}
