import type { Level } from '../model/level.ts'
import { parseTextPattern, TEXT_PATTERN_EXPECTED } from '../model/text/text-pattern.ts'

interface Rule {
  readonly text: string
  readonly isPrefix: boolean
  readonly level: Level
}

/** What parts of a target are told apart by: `shop.checkout`, `shop::checkout`, `@scope/package`. */
const SEPARATORS = '.:/'

/**
 * Levels by target. A target stands for itself and everything below it: `db` for `db`, `db.pool`, `db::pool` and
 * `db/pool`. With a `*` at the end it stands for all targets that begin so: `db.*` for `db.pool` but not for `db`, `*` for
 * all. The longest wins; of two that are as long, the one without `*`.
 */
export class TargetLevels {
  /** The ones that win first. */
  readonly #rules: readonly Rule[]

  constructor(levels: Readonly<Record<string, Level>>) {
    this.#rules = Object.entries(levels)
      .map(([target, level]) => ({
        ...(parseTextPattern(target) ?? { text: target, isPrefix: false }),
        level,
      }))
      .sort((a, b) => b.text.length - a.text.length || Number(a.isPrefix) - Number(b.isPrefix))
  }

  /** The level of a target; `undefined` where none of them stands for it. */
  levelOf(target: string): Level | undefined {
    for (const rule of this.#rules) if (applies(rule, target)) return rule.level
    return undefined
  }
}

function applies({ text, isPrefix }: Rule, target: string): boolean {
  if (!target.startsWith(text)) return false
  return isPrefix || target.length === text.length || SEPARATORS.includes(target[text.length]!)
}

/** What is wrong with a target of {@link TargetLevels}, one that would stand for nothing; `undefined` when it is right. */
export function targetProblem(target: string): string | undefined {
  if (target.trim() === '') return 'a target is empty'
  if (target !== target.trim()) return `target '${target}' has blanks around it`
  if (parseTextPattern(target) === undefined) return `target '${target}': ${TEXT_PATTERN_EXPECTED}`
  const last = target.at(-1)!
  if (!SEPARATORS.includes(last)) return undefined
  const name = target.replace(/[.:/]+$/, '')
  return `target '${target}' ends with '${last}': expected '${name}' or '${target}*'`
}
