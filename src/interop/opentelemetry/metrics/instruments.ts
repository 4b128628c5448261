import { type Attributes, diag } from '@opentelemetry/api'
import { isOwnWork } from '../../../model/runtime/own-work.ts'
import { dispatch } from '../../../tracing/dispatch.ts'
import type { FloatMetric, IntegerMetric } from '../../../tracing/metric.ts'
import { type PropertySet, propertySet } from '../../../tracing/values/property-set.ts'
import type { BridgeState } from '../bridge-state.ts'

/** Sets of attributes that one instrument keeps a sum for, as many as OpenTelemetry's SDK. */
export const MAX_SUMS = 2000
/** What stands for all further ones, as OpenTelemetry's specification has it. */
const OVERFLOW = { 'otel.metric.overflow': true }

/** What an instrument records to, and how its values are checked. */
export interface InstrumentSite {
  readonly state: BridgeState
  readonly metric: FloatMetric | IntegerMetric
  readonly name: string
  /** `ValueType.INT`: fractions are cut off. */
  readonly isInteger: boolean
  /** What another instrument of the same name differs by, to be told with the first value; then `undefined`. */
  conflict: string | undefined
}

/**
 * A value as it is recorded; `undefined` for one that is not: it is told to the API's diagnostics, and counted. As in
 * OpenTelemetry's SDK only numbers are values, and integers for instruments of `ValueType.INT`. Other than there NaN and
 * infinities are not values of any instrument.
 */
export function toValue(site: InstrumentSite, value: unknown, isPositive: boolean): number | undefined {
  if (site.conflict !== undefined) tellConflict(site)
  if (typeof value !== 'number' || !Number.isFinite(value)) return refuse(site, value, 'not a finite number')
  if (isPositive && value < 0) return refuse(site, value, 'negative')
  if (!site.isInteger || Number.isInteger(value)) return value
  diag.warn(`micromegas: the metric ${site.name} is of integers, the fraction of ${value} is cut off`)
  return Math.trunc(value)
}

function tellConflict(site: InstrumentSite): void {
  diag.warn(`micromegas: ${site.conflict}`)
  site.conflict = undefined
}

function refuse({ name }: InstrumentSite, value: unknown, problem: string): undefined {
  dispatch.metrics.countInvalid()
  diag.warn(`micromegas: a value of the metric ${name} is dropped: it is ${problem}`, value)
  return undefined
}

/** A histogram or a gauge: every value is recorded. */
export class BridgeRecorder {
  private readonly site: InstrumentSite
  private readonly isPositive: boolean

  constructor(site: InstrumentSite, isPositive: boolean) {
    this.site = site
    this.isPositive = isPositive
  }

  record(value: number, attributes?: Attributes): void {
    const { site } = this
    if (!site.state.active || isOwnWork()) return
    const shown = toValue(site, value, this.isPositive)
    if (shown !== undefined) site.metric.record(shown, toProperties(attributes))
  }
}

/** A counter: every increment is recorded, so that their sum over a time is what was counted in it. */
export class BridgeCounter {
  private readonly site: InstrumentSite

  constructor(site: InstrumentSite) {
    this.site = site
  }

  add(value: number, attributes?: Attributes): void {
    const { site } = this
    if (!site.state.active || isOwnWork()) return
    const shown = toValue(site, value, true)
    if (shown !== undefined) site.metric.record(shown, toProperties(attributes))
  }
}

/** An up-down counter: what is recorded is the sum so far, by attributes. Steps up and down would say nothing alone. */
export class BridgeUpDownCounter {
  private readonly site: InstrumentSite
  private readonly sums = new Map<string, { readonly properties: PropertySet | undefined; sum: number }>()

  constructor(site: InstrumentSite) {
    this.site = site
  }

  add(value: number, attributes?: Attributes): void {
    const { site } = this
    if (!site.state.active || isOwnWork()) return
    const step = toValue(site, value, false)
    if (step === undefined) return
    const entry = this.sumOf(toProperties(attributes))
    entry.sum += step
    site.metric.record(entry.sum, entry.properties)
  }

  private sumOf(properties: PropertySet | undefined): { properties: PropertySet | undefined; sum: number } {
    const key = keyOf(properties)
    const known = this.sums.get(key)
    if (known !== undefined) return known
    if (this.sums.size >= MAX_SUMS) {
      const overflow = propertySet(OVERFLOW)
      const overflowKey = keyOf(overflow)
      if (key !== overflowKey && !this.sums.has(overflowKey)) {
        this.sums.set(overflowKey, { properties: overflow, sum: 0 })
      }
      return this.sums.get(overflowKey)!
    }
    const entry = { properties, sum: 0 }
    this.sums.set(key, entry)
    return entry
  }
}

/** The attributes of a value; `undefined` if there are none. */
export function toProperties(attributes: Attributes | null | undefined): PropertySet | undefined {
  if (attributes === undefined || attributes === null) return undefined
  const properties = propertySet(attributes)
  return properties.entries.length === 0 ? undefined : properties
}

/** The same text for the same attributes in any order. */
export function keyOf(properties: PropertySet | undefined): string {
  if (properties === undefined) return ''
  const { entries } = properties
  return JSON.stringify(entries.length < 2 ? entries : [...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}
