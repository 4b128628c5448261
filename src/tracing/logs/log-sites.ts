import { Level } from '../../model/level.ts'
import { MAX_TEMPLATES, MAX_TEXTS } from '../limits.ts'
import { LogSite } from '../streams/log-stream.ts'
import { BoundedTable, TableBound } from '../values/bounded-table.ts'

export const templateBound: TableBound = new TableBound(MAX_TEMPLATES)
export const textBound: TableBound = new TableBound(MAX_TEXTS)
/** Longer plain texts are taken for built ones, which will not come again. */
const MAX_STATIC_CHARS = 512
/**
 * Texts of one level and target that were remembered and have not come again. Beyond, new ones are taken for built ones, which
 * are dearer to remember, and to list in each block, than to write; one in {@link CHANCE} is remembered all the same, so that
 * a text that does come again soon is.
 */
const MAX_UNPROVEN = 64
const CHANCE = 64

export type Template = readonly string[]

export interface LogSiteBounds {
  readonly templateBound: TableBound
  readonly textBound: TableBound
}

/** Nothing is remembered. */
export const NO_ROOM: LogSiteBounds = { templateBound: new TableBound(0), textBound: new TableBound(0) }

/** The call sites seen at one level of one target: shared by the target's loggers, whatever properties they are bound to. */
export class LogSites {
  readonly level: Level
  readonly target: string
  readonly templates: BoundedTable<Template, LogSite>
  readonly #texts: BoundedTable<string, LogSite>
  #anySite: LogSite | undefined
  #unproven = 0
  #random = 1

  constructor(level: Level, target: string, { templateBound, textBound }: LogSiteBounds) {
    this.level = level
    this.target = target
    this.templates = new BoundedTable(templateBound)
    this.#texts = new BoundedTable(textBound)
  }

  /** Stands for texts that are not remembered: the event carries the whole message. */
  get anySite(): LogSite {
    this.#anySite ??= new LogSite(this.level, this.target, ['', ''])
    return this.#anySite
  }

  knownText(text: string): LogSite | undefined {
    if (text.length > MAX_STATIC_CHARS) return undefined
    const site = this.#texts.get(text)
    if (site !== undefined && !site.hasComeAgain) {
      site.hasComeAgain = true
      this.#unproven--
    }
    return site
  }

  /** The new site of a text that is not known and may come again; `undefined` when it cannot be remembered. */
  rememberText(text: string): LogSite | undefined {
    if (text.length > MAX_STATIC_CHARS) return undefined
    if (this.#unproven >= MAX_UNPROVEN && !this.#hasLuck()) return undefined
    const site = this.#texts.make(text, (ownText) => new LogSite(this.level, this.target, [ownText]))
    if (site !== undefined) this.#unproven++
    return site
  }

  /** Once in {@link CHANCE} times, in no rhythm that those of a program could fall in with (the generator of POSIX's `rand`). */
  #hasLuck(): boolean {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) | 0
    return this.#random >>> 0 < 2 ** 32 / CHANCE
  }

  /** The site of a template with the given parts; `undefined` when it is not remembered. */
  ofTemplate(template: Template, parts: readonly string[]): LogSite | undefined {
    return this.templates.getOrMake(template, () => new LogSite(this.level, this.target, parts))
  }
}

/** Of one target. */
export interface LogSitesByLevel {
  readonly fatal: LogSites
  readonly error: LogSites
  readonly warn: LogSites
  readonly info: LogSites
  readonly debug: LogSites
  readonly trace: LogSites
}

export function logSitesOf(target: string, bounds: LogSiteBounds): LogSitesByLevel {
  return {
    fatal: new LogSites(Level.Fatal, target, bounds),
    error: new LogSites(Level.Error, target, bounds),
    warn: new LogSites(Level.Warn, target, bounds),
    info: new LogSites(Level.Info, target, bounds),
    debug: new LogSites(Level.Debug, target, bounds),
    trace: new LogSites(Level.Trace, target, bounds),
  }
}

export function isTemplate(message: unknown): message is Template {
  try {
    return Array.isArray(message) && Array.isArray((message as { raw?: unknown }).raw)
  } catch {
    return false // a proxy that refuses to be looked at
  }
}

/** The parts of a template; one with an invalid escape has no cooked text there, only raw. */
export function cookedParts(template: Template): readonly string[] {
  const { raw } = template as TemplateStringsArray
  return template.map((part: string | undefined, i) => part ?? raw[i] ?? '')
}
