import { Level } from '../../model/level.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import type { recordLog } from '../../tracing/logs/record-log.ts'
import { readMembers } from './json-members.ts'
import { type LineSource, recordMembers, type StreamKeys } from './line-event.ts'
import { LoggerReader } from './logger-traits.ts'

/** Longer lines are not parsed, for that would hold up the process; they are recorded as text. */
export const MAX_LINE_CHARS: number = 1024 * 1024

export interface LineRecorderConfig {
  /** Target of lines whose logger has no name. */
  readonly target: string
  readonly keys: StreamKeys
  /** Levels by name or number that are recorded otherwise than their names say. */
  readonly recordedAs: ReadonlyMap<string, Level>
  readonly record: typeof recordLog
}

/** Records the lines that pino writes. */
export class LineRecorder {
  readonly #config: LineRecorderConfig
  readonly #loggers: LoggerReader

  constructor(config: LineRecorderConfig) {
    this.#config = config
    this.#loggers = new LoggerReader(config.recordedAs)
  }

  /** Records a line of a logger of this thread, with the level's number and the time as they stand in it. */
  recordOf(logger: unknown, levelValue: unknown, timeJson: unknown, line: string): void {
    const traits = this.#loggers.traitsOf(logger)
    const level = traits.levels.get(levelValue) ?? this.#loggers.levelOf(levelValue)
    const target = this.#loggers.nameOf(logger) ?? this.#config.target
    if (level === undefined || level.level <= dispatch.filters.interopMaxLevelOf(target)) {
      this.#record(line, { level, levelJson: String(levelValue), target, timeJson, traits })
    }
  }

  /** Records a line of which nothing is known but what it says. */
  record(line: string): void {
    this.#record(line, undefined)
  }

  #record(line: string, source: LineSource | undefined): void {
    const { keys, target, record } = this.#config
    const members = line.length > MAX_LINE_CHARS ? undefined : readMembers(line)
    if (members !== undefined)
      recordMembers(members, source, { keys, target, record, loggers: this.#loggers })
    else {
      const level = source?.level?.level ?? Level.Info
      record(level, source?.target ?? target, line.trimEnd())
    }
  }
}
