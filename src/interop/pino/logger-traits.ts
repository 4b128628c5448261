import { Level } from '../../model/level.ts'
import { levelOfName } from '../level-names.ts'

/** What a level of a logger is recorded as. */
export interface RecordedLevel {
  readonly level: Level
  /** The logger's name of it, or its number where the name is not known. */
  readonly name: string
  /** Whether the name is one of the logger's own making, which the level of the event does not tell. */
  readonly isCustom: boolean
}

/** What the lines of a logger are read by. */
export interface LoggerTraits {
  readonly messageKey: string | undefined
  readonly errorKey: string | undefined
  readonly nestedKey: string | undefined
  /** By the number that pino writes. */
  readonly levels: ReadonlyMap<unknown, RecordedLevel>
}

type LevelComparison = (current: number, threshold: number) => unknown

/** What is read of pino's loggers; nothing of it is taken for granted. */
interface PinoLogger {
  readonly levels?: { readonly labels?: Readonly<Record<string, string>> }
  bindings?(): { readonly name?: unknown }
}

export const NO_TRAITS: LoggerTraits = {
  messageKey: undefined,
  errorKey: undefined,
  nestedKey: undefined,
  levels: new Map(),
}

/** Reads loggers, each once: there may be one for every request, but those share their levels. */
export class LoggerReader {
  readonly #recordedAs: ReadonlyMap<string, Level>
  readonly #traits = new WeakMap<object, LoggerTraits>()
  readonly #names = new WeakMap<object, string | undefined>()

  /** @param recordedAs - Levels by name or number that are recorded otherwise than their names say. */
  constructor(recordedAs: ReadonlyMap<string, Level>) {
    this.#recordedAs = recordedAs
  }

  traitsOf(logger: unknown): LoggerTraits {
    try {
      // Children share the object, unless they have levels of their own.
      const { levels } = logger as PinoLogger
      let traits = this.#traits.get(levels!)
      if (traits === undefined) {
        traits = this.#read(logger as PinoLogger)
        this.#traits.set(levels!, traits)
      }
      return traits
    } catch {
      return NO_TRAITS // not a logger of pino's
    }
  }

  /** What a level is recorded as that a line tells, by number or name, and no logger explains. */
  levelOf(value: unknown): RecordedLevel | undefined {
    const recordedAs = this.#recordedAs.get(String(value))
    if (typeof value === 'number') {
      const level = recordedAs ?? levelOfNumber(value)
      return { level, name: String(value), isCustom: !PINO_LEVELS.has(value) }
    }
    if (typeof value !== 'string' || value === '') return undefined
    const known = levelOfName(value)
    return { level: recordedAs ?? known ?? Level.Info, name: value, isCustom: known === undefined }
  }

  /** The name that the logger was given, or the logger that it is a child of. */
  nameOf(logger: unknown): string | undefined {
    if (typeof logger !== 'object' || logger === null) return undefined
    if (this.#names.has(logger)) return this.#names.get(logger)
    let name: unknown
    try {
      name = (logger as PinoLogger).bindings?.().name
    } catch {
      // Bindings that a formatter has made unreadable
    }
    const known = typeof name === 'string' && name !== '' ? name : undefined
    this.#names.set(logger, known)
    return known
  }

  #read(logger: PinoLogger): LoggerTraits {
    return {
      messageKey: textUnder(logger, 'pino.messageKey'),
      errorKey: textUnder(logger, 'pino.errorKey'),
      nestedKey: textUnder(logger, 'pino.nestedKey'),
      levels: this.#readLevels(logger),
    }
  }

  #readLevels(logger: PinoLogger): ReadonlyMap<number, RecordedLevel> {
    const scale = Object.entries(logger.levels?.labels ?? {}).map(([number, name]) => ({
      number: Number(number),
      name,
      level: this.#recordedAs.get(name) ?? this.#recordedAs.get(number) ?? levelOfName(name),
    }))
    scale.sort(bySeverity(valueUnder(logger, 'pino.levelComp')))
    const levels = new Map<number, RecordedLevel>()
    for (const [i, { number, name, level }] of scale.entries()) {
      const known =
        level ??
        scale.slice(i).find((other) => other.level !== undefined)?.level ??
        scale.slice(0, i).findLast((other) => other.level !== undefined)?.level ??
        levelOfNumber(number)
      levels.set(number, { level: known, name, isCustom: levelOfName(name) === undefined })
    }
    return levels
  }
}

/** Pino's own scale, a number between two levels being the less severe. */
function levelOfNumber(number: number): Level {
  if (number >= 60) return Level.Fatal
  if (number >= 50) return Level.Error
  if (number >= 40) return Level.Warn
  if (number >= 30) return Level.Info
  if (number >= 20) return Level.Debug
  // A scale of its own, of which nothing is known: an event at level trace would be dropped by most filters.
  return number >= 10 ? Level.Trace : Level.Info
}

const PINO_LEVELS: ReadonlySet<number> = new Set([10, 20, 30, 40, 50, 60])

/** The most severe first, whichever way the numbers go. */
function bySeverity(comparison: unknown): (a: { number: number }, b: { number: number }) => number {
  if (typeof comparison !== 'function') return (a, b) => b.number - a.number
  const isEnabled = comparison as LevelComparison
  const outranks = (a: number, b: number): boolean => Boolean(isEnabled(a, b)) && !isEnabled(b, a)
  return (a, b) => Number(outranks(b.number, a.number)) - Number(outranks(a.number, b.number))
}

function textUnder(logger: object, description: string): string | undefined {
  const value = valueUnder(logger, description)
  return typeof value === 'string' ? value : undefined
}

/** The symbols that were found last, by their descriptions. */
const symbols = new Map<string, symbol>()

/** Pino keeps its options under symbols, of which every copy of it has its own. */
export function valueUnder(logger: object, description: string): unknown {
  const last = symbols.get(description)
  if (last !== undefined && last in logger) return (logger as Record<symbol, unknown>)[last]
  for (let holder: object | null = logger; holder !== null; holder = Object.getPrototypeOf(holder)) {
    const symbol = Object.getOwnPropertySymbols(holder).find((key) => key.description === description)
    if (symbol === undefined) continue
    symbols.set(description, symbol)
    return (holder as Record<symbol, unknown>)[symbol]
  }
  return undefined
}
