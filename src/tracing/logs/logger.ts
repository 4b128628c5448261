import { isError, isPlainObject } from '../../model/kinds.ts'
import { Level } from '../../model/level.ts'
import { dispatch } from '../dispatch.ts'
import { MAX_MESSAGE_CHARS, MAX_TARGETS } from '../limits.ts'
import { loggingSpan, logTags, tagsWithin } from '../spans/span-tags.ts'
import { formatMessage, type LogSite } from '../streams/log-stream.ts'
import { BoundedTable, TableBound } from '../values/bounded-table.ts'
import { truncate } from '../values/bounded-text.ts'
import { isPropertySet, type Properties, type PropertySet, propertySet } from '../values/property-set.ts'
import { renderValue } from '../values/render-value.ts'
import {
  cookedParts,
  isTemplate,
  type LogSiteBounds,
  type LogSites,
  type LogSitesByLevel,
  logSitesOf,
  NO_ROOM,
  type Template,
  templateBound,
  textBound,
} from './log-sites.ts'

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

export const loggerBound: TableBound = new TableBound(MAX_TARGETS)
const loggers = new BoundedTable<string, TargetLogger>(loggerBound)

/**
 * The logger of a target. Targets name the part of the program that speaks, dotted from coarse to fine
 * (`shop.checkout`), and are what `MICROMEGAS_TARGET_MAX_LEVELS` filters by.
 */
export function logger(target: string): Logger {
  const name = typeof target === 'string' ? truncate(target, 255) : renderValue(target, 255)
  const known = loggers.getOrMake(name, (ownName) => makeLogger(ownName, { templateBound, textBound }))
  // A logger that is not remembered is not the last of its kind: it takes no room in the tables of the others.
  return known ?? makeLogger(name, NO_ROOM)
}

function makeLogger(target: string, bounds: LogSiteBounds): TargetLogger {
  return new TargetLogger(target, undefined, logSitesOf(target, bounds))
}

/** What becomes of the events of one level of one logger. */
type Mode = typeof OFF | typeof PLAIN | typeof BOUND | typeof WITHIN | typeof ATTENDED
const OFF = 0
/** They go into a block and nowhere else. */
const PLAIN = 1
/** The same, tagged with the properties of the logger. */
const BOUND = 2
/** The same, and within an async span tagged with its ids. */
const WITHIN = 3
/** They are urgent, or sinks show them at once. */
const ATTENDED = 4

/**
 * One level of one logger. The functions that record plain events are many and small, so that compilers can take each in
 * whole; what is out of the ordinary is left to {@link write}.
 */
class LevelLog {
  readonly level: Level
  readonly target: string
  readonly bound: PropertySet | undefined
  /** The mode outside of spans. */
  readonly ownMode: typeof PLAIN | typeof BOUND
  #mode: Mode = OFF
  #filterEpoch = 0
  readonly #sites: LogSites
  readonly #templates: BoundedTable<Template, LogSite>
  /** The last message found and its site. */
  #lastMessage: unknown
  #lastSite: LogSite | undefined

  constructor(sites: LogSites, bound: PropertySet | undefined) {
    this.level = sites.level
    this.target = sites.target
    this.bound = bound
    this.ownMode = bound === undefined ? PLAIN : BOUND
    this.#sites = sites
    this.#templates = sites.templates
  }

  /** Kept until the filters change. */
  get mode(): Mode {
    return this.#filterEpoch === dispatch.filters.epoch ? this.#mode : this.#findMode()
  }

  #findMode(): Mode {
    const { filters, attentionLevel } = dispatch
    this.#filterEpoch = filters.epoch
    if (this.level > filters.maxLevelOf(this.target)) this.#mode = OFF
    else if (this.level <= attentionLevel) this.#mode = ATTENDED
    else if (dispatch.tagsLogs) this.#mode = WITHIN
    else this.#mode = this.ownMode
    return this.#mode
  }

  /** Records a plain event: a message alone. */
  write1(message: unknown): void {
    const stream = dispatch.log
    const site = message === this.#lastMessage ? this.#lastSite : this.#find(message)
    if (site !== undefined && site.parts.length === 1) return stream.writeStatic(site)
    this.#writeUnusual(site, message, [], undefined)
  }

  /** Records a plain event: a template with one value, or a text with properties. */
  write2(message: unknown, value: unknown): void {
    const stream = dispatch.log
    const site = message === this.#lastMessage ? this.#lastSite : this.#find(message)
    if (site !== undefined) {
      if (site.parts.length === 2) return stream.writeFormatted(site, value, undefined)
      if (typeof message === 'string' && isPropertySet(value)) return stream.writeTaggedStatic(site, value)
    }
    this.#writeUnusual(site, message, [value], undefined)
  }

  /** Records a plain event: a template with two values. */
  write3(message: unknown, value0: unknown, value1: unknown): void {
    const stream = dispatch.log
    const site = message === this.#lastMessage ? this.#lastSite : this.#find(message)
    if (site !== undefined && site.parts.length === 3) return stream.writeFormatted(site, value0, value1)
    this.#writeUnusual(site, message, [value0, value1], undefined)
  }

  /** Records an event tagged with properties that was called with `count` arguments, at most three. */
  writeTagged(tags: PropertySet, message: unknown, count: number, value0: unknown, value1: unknown): void {
    const stream = dispatch.log
    const site = message === this.#lastMessage ? this.#lastSite : this.#find(message)
    if (site !== undefined && site.parts.length === count) {
      if (count === 1) return stream.writeTaggedStatic(site, tags)
      return stream.writeTaggedFormatted(site, tags, value0, value1)
    }
    this.#writeUnusual(site, message, [value0, value1].slice(0, Math.max(0, count - 1)), tags)
  }

  /** Records any event of an enabled level. */
  write(message: unknown, values: unknown[]): void {
    if (this.#mode === ATTENDED) return this.#writeSlow(message, values)
    this.#writeUnusual(this.#find(message), message, values, logTags(this.bound))
  }

  /** An event with more values than two, or not as many as its template; a text that is not remembered; properties; errors. */
  #writeUnusual(
    site: LogSite | undefined,
    message: unknown,
    values: unknown[],
    tags: PropertySet | undefined,
  ): void {
    if (site === undefined) {
      if (values.length === 0 && tags === undefined && typeof message === 'string') {
        return this.#writeUnseen(message)
      }
    } else if (site.parts.length === values.length + 1) {
      // A wrapper may pass a template on with values of its own choice.
      const text = formatMessage(site.fixedParts, values)
      if (tags === undefined) return dispatch.log.writeText(site, text)
      return dispatch.log.writeTagged(site, text, tags)
    }
    this.#writeSlow(message, values)
  }

  /** A text that is not remembered, for it comes for the first time, was built for this event, or there is no room. */
  #writeUnseen(message: string): void {
    const text = truncate(message, MAX_MESSAGE_CHARS)
    const site = this.#sites.rememberText(text)
    if (site !== undefined) dispatch.log.writeStatic(site)
    else dispatch.log.writeText(this.#sites.anySite, text)
  }

  /** The call site of a message that has been seen; it is kept at hand, since call sites repeat themselves. */
  #find(message: unknown): LogSite | undefined {
    const site =
      typeof message === 'string' ? this.#sites.knownText(message) : this.#templates.get(message as Template)
    if (site !== undefined) {
      this.#lastMessage = message
      this.#lastSite = site
    }
    return site
  }

  /** First use of a call site, properties, errors, sinks that show logs at once. */
  #writeSlow(message: unknown, values: unknown[]): void {
    try {
      if (isTemplate(message)) this.#writeTemplate(message, values)
      else this.#writeDetails(message, values)
    } catch {
      // Only a value that throws out of every guard of its rendering gets here: it costs its event, not the host.
      dispatch.log.countInvalid()
    }
  }

  #writeTemplate(template: Template, values: unknown[]): void {
    const known = this.#templates.get(template)
    const parts = known?.fixedParts ?? cookedParts(template)
    const site = known ?? this.#sites.ofTemplate(template, parts)
    const text = formatMessage(parts, values)
    if (this.level <= dispatch.filters.blockMaxLevel) {
      const { anySite } = this.#sites
      const tags = logTags(this.bound)
      if (tags !== undefined) dispatch.log.writeTagged(site ?? anySite, text, tags)
      else if (site !== undefined && parts.length === 1) dispatch.log.writeStatic(site)
      else dispatch.log.writeText(site ?? anySite, text)
    }
    if (this.level <= dispatch.attentionLevel) dispatch.attend(this.level, this.target, text, this.bound)
  }

  #writeDetails(message: unknown, details: unknown[]): void {
    let text = typeof message === 'string' ? message : renderValue(message, MAX_MESSAGE_CHARS)
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
      // A text that was put together for this event will hardly come again.
      const site = built ? undefined : (this.#sites.knownText(text) ?? this.#sites.rememberText(text))
      const tags = logTags(properties)
      if (tags !== undefined) dispatch.log.writeTagged(site ?? this.#sites.anySite, text, tags)
      else if (site !== undefined) dispatch.log.writeStatic(site)
      else dispatch.log.writeText(this.#sites.anySite, text)
    }
    if (this.level <= dispatch.attentionLevel) dispatch.attend(this.level, this.target, text, properties)
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
  readonly #sites: LogSitesByLevel

  constructor(target: string, bound: PropertySet | undefined, sites: LogSitesByLevel) {
    this.target = target
    this.#bound = bound
    this.#sites = sites
    this.fatal = logMethod(new LevelLog(sites.fatal, bound))
    this.error = logMethod(new LevelLog(sites.error, bound))
    this.warn = logMethod(new LevelLog(sites.warn, bound))
    this.info = logMethod(new LevelLog(sites.info, bound))
    this.debug = logMethod(new LevelLog(sites.debug, bound))
    this.trace = logMethod(new LevelLog(sites.trace, bound))
  }

  isEnabled(level: Level): boolean {
    return level > Level.Off && level <= dispatch.filters.maxLevelOf(this.target)
  }

  with(properties: Properties | PropertySet): Logger {
    const bound =
      this.#bound === undefined ? propertySet(properties) : mergeProperties(this.#bound, properties)
    return new TargetLogger(this.target, bound, this.#sites)
  }
}

/**
 * The function behind `log.info` and its like; it needs no `this`, so it may be taken off its logger. Neither a rest
 * parameter nor `arguments` handed on: both would allocate for every event.
 */
function logMethod(at: LevelLog): LogMethod {
  return function log(message: unknown, value0?: unknown, value1?: unknown): void {
    let mode = at.mode
    if (mode === OFF) return
    if (mode !== ATTENDED && dispatch.log.refusing) return dispatch.log.refuse()
    // biome-ignore lint/complexity/noArguments: see above
    const count = arguments.length
    if (mode === WITHIN) {
      if (dispatch.openAsyncSpans !== 0 && count <= 3) {
        const span = loggingSpan()
        if (span !== undefined)
          return at.writeTagged(tagsWithin(span, at.bound), message, count, value0, value1)
      }
      mode = at.ownMode
    }
    if (mode === PLAIN) {
      if (count === 1) return at.write1(message)
      if (count === 2) return at.write2(message, value0)
      if (count === 3) return at.write3(message, value0, value1)
    } else if (mode === BOUND && count <= 3) {
      return at.writeTagged(at.bound!, message, count, value0, value1)
    }
    const values: unknown[] = []
    // biome-ignore lint/complexity/noArguments: see above
    for (let i = 1; i < count; i++) values.push(arguments[i])
    at.write(message, values)
  }
}

/** Plain objects and property sets tag an event; every other value is part of its message. */
function isProperties(detail: unknown): detail is Properties | PropertySet {
  return isPropertySet(detail) || isPlainObject(detail)
}

function mergeProperties(base: PropertySet, more: Properties | PropertySet): PropertySet {
  const added = propertySet(more)
  return propertySet(Object.fromEntries([...base.entries, ...added.entries]))
}
