import { dispatch } from './dispatch.ts'
import { MAX_METRICS, MAX_NAME_CHARS } from './limits.ts'
import { MetricSite } from './streams/metrics-stream.ts'
import { BoundedTable, TableBound } from './values/bounded-table.ts'
import { truncate } from './values/bounded-text.ts'
import { detachedText } from './values/detached-text.ts'
import { type Properties, type PropertySet, propertySet } from './values/property-set.ts'
import { renderValue } from './values/render-value.ts'

export interface MetricOptions {
  /** The part of the program that measures. @defaultValue `app` */
  readonly target?: string | undefined
}

/** Target of metrics and spans that name none. */
export const DEFAULT_TARGET = 'app'

/** Largest value of an unsigned 64-bit integer. */
const MAX_U64 = 2n ** 64n - 1n

/** Distinct metrics that are remembered; past it every call makes a metric of its own, which records as well. */
export const metricBound: TableBound = new TableBound(MAX_METRICS)
const floats = new BoundedTable<string, FloatMetric>(metricBound)
const integers = new BoundedTable<string, IntegerMetric>(metricBound)

/** A measured quantity: one value per {@link record}. Made by {@link fmetric}. */
export class FloatMetric {
  readonly #site: MetricSite

  /** @internal */
  constructor(site: MetricSite) {
    this.#site = site
  }

  /**
   * Records one value. Never throws: a value that is no finite number is left out and counted.
   *
   * @param properties - Tags the value; make sets that come again with {@link propertySet}.
   */
  record(value: number, properties?: PropertySet | Properties): void {
    const stream = dispatch.metrics
    if (stream.refusing) return stream.refuse()
    // False for NaN and both infinities too.
    if (typeof value !== 'number' || !(value - value === 0)) return stream.countInvalid()
    if (properties === undefined) stream.writeFloat(this.#site, value)
    else stream.writeTaggedFloat(this.#site, value, propertySet(properties))
  }
}

/** A counted quantity: one whole number per {@link record}. Made by {@link imetric}. */
export class IntegerMetric {
  readonly #site: MetricSite
  /** Servers turn integers whose unit is `ticks` into seconds; as floats they stay what they are. */
  readonly #asFloat: boolean

  /** @internal */
  constructor(site: MetricSite) {
    this.#site = site
    this.#asFloat = site.unit === 'ticks'
  }

  /**
   * Records one value. Never throws. The wire's integers are unsigned: a negative or fractional value is sent as a float
   * of the same metric, so it arrives as it is; NaN and infinities are left out and counted.
   *
   * @param value - A number, or a bigint for whole numbers beyond 2^53.
   * @param properties - Tags the value; make sets that come again with {@link propertySet}.
   */
  record(value: number | bigint, properties?: PropertySet | Properties): void {
    const stream = dispatch.metrics
    if (stream.refusing) return stream.refuse()
    if (typeof value === 'number' && value >= 0 && Number.isSafeInteger(value) && !this.#asFloat) {
      if (properties === undefined) stream.writeInteger(this.#site, value)
      else stream.writeTaggedInteger(this.#site, value, propertySet(properties))
    } else {
      this.#recordUnusual(value, properties)
    }
  }

  #recordUnusual(value: number | bigint, properties: PropertySet | Properties | undefined): void {
    const set = properties === undefined ? undefined : propertySet(properties)
    if (typeof value === 'bigint' && value >= 0n && value <= MAX_U64 && !this.#asFloat) {
      return dispatch.metrics.writeBigInteger(this.#site, value, set)
    }
    const float = typeof value === 'bigint' ? Number(value) : value
    if (!Number.isFinite(float)) return dispatch.metrics.countInvalid()
    if (set === undefined) dispatch.metrics.writeFloat(this.#site, float)
    else dispatch.metrics.writeTaggedFloat(this.#site, float, set)
  }
}

/**
 * A metric of measured values.
 *
 * @param name - Up to 255 characters.
 * @param unit - For example `ms`, `bytes`, `percent`, `count`.
 */
export function fmetric(name: string, unit: string, options?: MetricOptions): FloatMetric {
  return findMetric(floats, (site) => new FloatMetric(site), name, unit, options)
}

/**
 * A metric of whole numbers.
 *
 * @param name - Up to 255 characters.
 * @param unit - For example `count` or `bytes`.
 */
export function imetric(name: string, unit: string, options?: MetricOptions): IntegerMetric {
  return findMetric(integers, (site) => new IntegerMetric(site), name, unit, options)
}

function findMetric<M>(
  table: BoundedTable<string, M>,
  make: (site: MetricSite) => M,
  name: string,
  unit: string,
  options: MetricOptions | undefined,
): M {
  const shownName = toName(name)
  const shownUnit = toName(unit)
  const target = toName(options?.target ?? DEFAULT_TARGET)
  const key = `${target.length}:${target}${shownUnit.length}:${shownUnit}${shownName}`
  const makeMetric = () =>
    make(new MetricSite(detachedText(shownName), detachedText(shownUnit), detachedText(target)))
  return table.getOrMake(key, makeMetric) ?? makeMetric()
}

/** What callers pass as a name, as text of bounded length. */
export function toName(value: unknown): string {
  return typeof value === 'string' ? truncate(value, MAX_NAME_CHARS) : renderValue(value, MAX_NAME_CHARS)
}
