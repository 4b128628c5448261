import { Level } from '../model/level.ts'
import { TargetLevels } from './target-levels.ts'

/** What the levels of a start are made of. */
export interface FilterOptions {
  /** Least severe level recorded for targets that {@link targetMaxLevels} does not name. */
  readonly maxLevel: Level
  /** Least severe level by target, as {@link TargetLevels} reads them. */
  readonly targetMaxLevels: Readonly<Record<string, Level>>
  /** Least severe level of events that come from other logging libraries. */
  readonly interopMaxLevel: Level
}

/**
 * Decides which log events are recorded. Loggers keep the answer for their target and compare {@link epoch} to see
 * whether it is still the answer.
 */
export class Filters {
  /** Changes whenever an answer may. */
  epoch = 1
  /** Least severe level that any sink takes as blocks, and that any sink takes at once. */
  blockMaxLevel: Level = Level.Trace
  liveMaxLevel: Level = Level.Off
  #targets = new TargetLevels({})
  #options: FilterOptions = { maxLevel: Level.Debug, targetMaxLevels: {}, interopMaxLevel: Level.Trace }

  set(options: FilterOptions, blockMaxLevel: Level, liveMaxLevel: Level): void {
    this.#options = options
    this.#targets = new TargetLevels(options.targetMaxLevels)
    this.blockMaxLevel = blockMaxLevel
    this.liveMaxLevel = liveMaxLevel
    this.epoch++
  }

  /** The least severe level that a target's events are recorded at. */
  maxLevelOf(target: string): Level {
    const sinkMax = Math.max(this.blockMaxLevel, this.liveMaxLevel)
    return Math.min(sinkMax, this.#targets.levelOf(target) ?? this.#options.maxLevel) as Level
  }

  /** The same for events of other logging libraries. */
  interopMaxLevelOf(target: string): Level {
    return Math.min(this.maxLevelOf(target), this.#options.interopMaxLevel) as Level
  }
}
