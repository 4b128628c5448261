import { BoundedTable, TableBound } from './bounded-table.ts'
import { dispatch } from './dispatch.ts'
import { Level } from './level.ts'
import { formatMessage, LogSite, MAX_MESSAGE_CHARS } from './log-stream.ts'
import { isPropertySet, type Properties, type PropertySet, propertySet } from './property-set.ts'
import { isError, renderValue, truncate } from './render-value.ts'

/**
 * Records one log event. Never throws.
 *
 * - As a template tag (``log.info`order ${id} placed` ``): the call site is known by its template, so nothing but the
 *   values is written, and values are rendered only when the level is on.
 * - With a text: the text itself, up to 262144 characters. A text that does not change from call to call costs least.
 *   What follows may be properties (a plain object or a {@link PropertySet}), which tag the event, and errors, whose
 *   stack and causes are added to the message; anything else is added to the message as text.
 * - With an error: its stack and causes.
 */
export interface LogMethod {
  (template: TemplateStringsArray, ...values: unknown[]): void
  (message: string, ...details: (Properties | PropertySet | Error | unknown)[]): void
  (error: unknown): void
}

/** Records log events of one target. Get one from {@link logger} and keep it. */
export interface Logger {
  readonly target: string
  /** The process cannot go on. Flushed within a second, as `error` is. */
  readonly fatal: LogMethod
  readonly error: LogMethod
  readonly warn: LogMethod
  readonly info: LogMethod
  readonly debug: LogMethod
  readonly trace: LogMethod
  /** Whether an event of this level would be recorded: for values that are dear to compute. */
  isEnabled(level: Level): boolean
  /** A logger of the same target that tags every event with these properties. */
  with(properties: Properties | PropertySet): Logger
}

/** Call sites known by their template; bounded because code can be generated. */
const templateBound = new TableBound(16_384)
/** Plain texts known as static messages. */
const textBound = new TableBound(4096)
/** Longer plain texts are taken for built ones, which will not come again. */
const MAX_STATIC_CHARS = 512
const loggerBound = new TableBound(4096)
const loggers = new BoundedTable<string, TargetLogger>(loggerBound)

/** What was used without being remembered, by table: see the statistics of the dispatch. */
export function loggerOverflows(): { templates: number; texts: number; loggers: number } {
  return {
    templates: templateBound.overflows,
    texts: textBound.overflows,
    loggers: loggerBound.overflows,
  }
}

/**
 * The logger of a target. Targets name the part of the program that speaks, dotted from coarse to fine
 * (`shop.checkout`), and are what `MICROMEGAS_TARGET_MAX_LEVELS` filters by.
 */
export function logger(target: string): Logger {
  const name = typeof target === 'string' ? truncate(target, 255) : renderValue(target, 255)
  const known = loggers.get(name)
  if (known !== undefined) return known
  const created = new TargetLogger(name, undefined)
  loggers.add(name, created)
  return created
}

type Template = readonly string[]

/** One level of one logger: the answer of the filters, and the call sites seen. */
class LevelLog {
  readonly level: Level
  readonly target: string
  readonly bound: PropertySet | undefined
  #enabled = false
  #filterEpoch = 0
  readonly #templates = new BoundedTable<Template, LogSite>(templateBound)
  readonly #texts = new BoundedTable<string, LogSite>(textBound)
  /** Stands for texts that are not remembered: the event carries the whole message. */
  readonly #anySite: LogSite

  constructor(level: Level, target: string, bound: PropertySet | undefined) {
    this.level = level
    this.target = target
    this.bound = bound
    this.#anySite = new LogSite(level, target, ['', ''])
  }

  get enabled(): boolean {
    const filters = dispatch.filters
    if (this.#filterEpoch !== filters.epoch) {
      this.#filterEpoch = filters.epoch
      this.#enabled = this.level <= filters.maxLevelOf(this.target)
    }
    return this.#enabled
  }

  /** Records an event of an enabled level; `all` holds every argument where there are more than three. */
  write(message: unknown, count: number, value0: unknown, value1: unknown, all: unknown[] | undefined): void {
    if (this.level > dispatch.attentionLevel && this.bound === undefined) {
      if (typeof message === 'string') {
        const site = this.#texts.get(message)
        if (site !== undefined && count === 1) return dispatch.log.writeStatic(site)
      } else {
        const site = this.#templates.get(message as Template)
        if (site !== undefined) {
          if (count === 1) return dispatch.log.writeStatic(site)
          if (count === 2) return dispatch.log.writeFormatted1(site, value0)
          if (count === 3) return dispatch.log.writeFormatted2(site, value0, value1)
        }
      }
    }
    this.#writeSlow(message, all ?? [message, value0, value1].slice(0, count))
  }

  /** First use of a call site, properties, errors, sinks that show logs at once. */
  #writeSlow(message: unknown, all: unknown[]): void {
    try {
      if (isTemplate(message)) this.#writeTemplate(message, all.slice(1))
      else this.#writeDetails(message, all.slice(1))
    } catch {
      // Only a value that throws out of every guard of its rendering gets here: it costs its event, not the host.
      dispatch.log.countInvalid()
    }
  }

  #writeTemplate(template: Template, values: unknown[]): void {
    const site = this.#templateSite(template)
    const toBlock = this.level <= dispatch.filters.blockMaxLevel
    if (toBlock && this.bound === undefined) {
      if (values.length === 0) dispatch.log.writeStatic(site)
      else dispatch.log.writeText(site, truncate(formatMessage(site.fixedParts, values), MAX_MESSAGE_CHARS))
    }
    if (this.bound === undefined && this.level > dispatch.attentionLevel) return
    const text = truncate(formatMessage(site.fixedParts, values), MAX_MESSAGE_CHARS)
    if (toBlock && this.bound !== undefined) dispatch.log.writeTagged(site, text, this.bound)
    if (this.level <= dispatch.attentionLevel) dispatch.attend(this.level, this.target, text, this.bound)
  }

  #writeDetails(message: unknown, details: unknown[]): void {
    let text = truncate(renderValue(message, MAX_MESSAGE_CHARS), MAX_MESSAGE_CHARS)
    let properties = this.bound
    let built = typeof message !== 'string'
    for (const detail of details) {
      if (isProperties(detail)) {
        properties = properties === undefined ? propertySet(detail) : mergeProperties(properties, detail)
      } else {
        text += (isError(detail) ? '\n' : ' ') + renderValue(detail, MAX_MESSAGE_CHARS)
        built = true
      }
    }
    text = truncate(text, MAX_MESSAGE_CHARS)
    if (this.level <= dispatch.filters.blockMaxLevel) {
      if (properties !== undefined) dispatch.log.writeTagged(this.#anySite, text, properties)
      else this.#writeText(text, built)
    }
    if (this.level <= dispatch.attentionLevel) dispatch.attend(this.level, this.target, text, properties)
  }

  #writeText(text: string, built: boolean): void {
    const known = built ? undefined : this.#texts.get(text)
    if (known !== undefined) return dispatch.log.writeStatic(known)
    if (built || text.length > MAX_STATIC_CHARS || textBound.remaining === 0) {
      if (!built && text.length <= MAX_STATIC_CHARS) textBound.overflows++
      return dispatch.log.writeText(this.#anySite, text)
    }
    const site = new LogSite(this.level, this.target, [text])
    this.#texts.add(text, site)
    dispatch.log.writeStatic(site)
  }

  #templateSite(template: Template): LogSite {
    const known = this.#templates.get(template)
    if (known !== undefined) return known
    const raw = (template as TemplateStringsArray).raw
    // A template with an invalid escape has no cooked text there, only raw.
    const site = new LogSite(
      this.level,
      this.target,
      template.map((part: string | undefined, i) => part ?? raw[i] ?? ''),
    )
    this.#templates.add(template, site)
    return site
  }
}

class TargetLogger implements Logger {
  readonly target: string
  readonly fatal: LogMethod
  readonly error: LogMethod
  readonly warn: LogMethod
  readonly info: LogMethod
  readonly debug: LogMethod
  readonly trace: LogMethod
  readonly #bound: PropertySet | undefined

  constructor(target: string, bound: PropertySet | undefined) {
    this.target = target
    this.#bound = bound
    this.fatal = logMethod(new LevelLog(Level.Fatal, target, bound))
    this.error = logMethod(new LevelLog(Level.Error, target, bound))
    this.warn = logMethod(new LevelLog(Level.Warn, target, bound))
    this.info = logMethod(new LevelLog(Level.Info, target, bound))
    this.debug = logMethod(new LevelLog(Level.Debug, target, bound))
    this.trace = logMethod(new LevelLog(Level.Trace, target, bound))
  }

  isEnabled(level: Level): boolean {
    return level > Level.Off && level <= dispatch.filters.maxLevelOf(this.target)
  }

  with(properties: Properties | PropertySet): Logger {
    const bound =
      this.#bound === undefined ? propertySet(properties) : mergeProperties(this.#bound, properties)
    return new TargetLogger(this.target, bound)
  }
}

/** The function behind `log.info` and its like; it needs no `this`, so it may be taken off its logger. */
function logMethod(at: LevelLog): LogMethod {
  return function log(message: unknown, value0?: unknown, value1?: unknown): void {
    if (!at.enabled) return
    // biome-ignore lint/complexity/noArguments: a rest parameter would allocate an array for every event
    const count = arguments.length
    // biome-ignore lint/complexity/noArguments: as above
    at.write(message, count, value0, value1, count > 3 ? Array.from(arguments) : undefined)
  }
}

function isTemplate(message: unknown): message is Template {
  try {
    return Array.isArray(message) && Array.isArray((message as { raw?: unknown }).raw)
  } catch {
    return false // a proxy that refuses to be looked at
  }
}

/** Plain objects and property sets tag an event; every other value is part of its message. */
function isProperties(detail: unknown): detail is Properties | PropertySet {
  if (typeof detail !== 'object' || detail === null) return false
  if (isPropertySet(detail)) return true
  try {
    const prototype: unknown = Object.getPrototypeOf(detail)
    return prototype === Object.prototype || prototype === null
  } catch {
    return false
  }
}

function mergeProperties(base: PropertySet, more: Properties | PropertySet): PropertySet {
  const added = propertySet(more)
  return propertySet(Object.fromEntries([...base.entries, ...added.entries]))
}
