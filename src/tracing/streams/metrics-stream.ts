import { writeTicks } from '../clock.ts'
import type { PropertySet } from '../values/property-set.ts'
import { BLOCK_BYTES } from './block-memory.ts'
import { EventStream } from './event-stream.ts'
import { idBits } from './id-bits.ts'
import {
  METADATA_INDEX,
  METRIC_FLOAT,
  METRIC_INTEGER,
  METRIC_TAGGED_FLOAT,
  METRIC_TAGGED_INTEGER,
  METRICS_LAYOUT,
  PROPERTY_SET_INDEX,
} from './stream-layouts.ts'

/** Verbosity every metric is sent with, as the reference SDK's macros do (`max`); no view reads it. */
const LOD_MAX = 3
/** Shifts a whole number by 32 bits; a multiplication, for a division takes longer. */
const HIGH_WORD = 2 ** -32

/** What the events of one metric share; listed once in each block that has such an event. */
export class MetricSite {
  readonly name: string
  readonly unit: string
  readonly target: string
  epoch = 0
  idBits = 0

  constructor(name: string, unit: string, target: string) {
    this.name = name
    this.unit = unit
    this.target = target
  }
}

/** Writes metric events. */
export class MetricsStream extends EventStream {
  constructor() {
    super('metrics', METRICS_LAYOUT, BLOCK_BYTES)
  }

  /** `FloatMetricEvent`; the value is finite. */
  writeFloat(site: MetricSite, value: number): void {
    const start = this.cursor
    if (site.epoch !== this.epoch || start + 25 > this.capacity) {
      if (this.#place(site, 25)) this.writeFloat(site, value)
      return
    }
    const view = this.view
    view.setUint8(start, METRIC_FLOAT)
    view.setFloat64(start + 1, site.idBits, true)
    view.setFloat64(start + 9, value, true)
    writeTicks(view, start + 17)
    this.cursor = start + 25
    this.eventCount++
  }

  /** `IntegerMetricEvent`; the value is a whole number from 0 to 2^53. */
  writeInteger(site: MetricSite, value: number): void {
    const start = this.cursor
    if (site.epoch !== this.epoch || start + 25 > this.capacity) {
      if (this.#place(site, 25)) this.writeInteger(site, value)
      return
    }
    const view = this.view
    view.setUint8(start, METRIC_INTEGER)
    view.setFloat64(start + 1, site.idBits, true)
    view.setUint32(start + 9, value, true) // keeps the low 32 bits
    view.setUint32(start + 13, value * HIGH_WORD, true)
    writeTicks(view, start + 17)
    this.cursor = start + 25
    this.eventCount++
  }

  /** `TaggedFloatMetricEvent`. */
  writeTaggedFloat(site: MetricSite, value: number, properties: PropertySet): void {
    const start = this.cursor
    if (site.epoch !== this.epoch || properties.metricsEpoch !== this.epoch || start + 33 > this.capacity) {
      if (this.#placeTagged(site, properties)) this.writeTaggedFloat(site, value, properties)
      return
    }
    const view = this.view
    view.setUint8(start, METRIC_TAGGED_FLOAT)
    view.setFloat64(start + 1, site.idBits, true)
    view.setFloat64(start + 9, properties.metricsIdBits, true)
    view.setFloat64(start + 17, value, true)
    writeTicks(view, start + 25)
    this.cursor = start + 33
    this.eventCount++
  }

  /** `TaggedIntegerMetricEvent`. */
  writeTaggedInteger(site: MetricSite, value: number, properties: PropertySet): void {
    const start = this.cursor
    if (site.epoch !== this.epoch || properties.metricsEpoch !== this.epoch || start + 33 > this.capacity) {
      if (this.#placeTagged(site, properties)) this.writeTaggedInteger(site, value, properties)
      return
    }
    const view = this.view
    view.setUint8(start, METRIC_TAGGED_INTEGER)
    view.setFloat64(start + 1, site.idBits, true)
    view.setFloat64(start + 9, properties.metricsIdBits, true)
    view.setUint32(start + 17, value, true)
    view.setUint32(start + 21, value * HIGH_WORD, true)
    writeTicks(view, start + 25)
    this.cursor = start + 33
    this.eventCount++
  }

  /** An integer that a `number` cannot hold, from 0 to 2^64 - 1. */
  writeBigInteger(site: MetricSite, value: bigint, properties: PropertySet | undefined): void {
    if (properties === undefined) {
      if (!this.#place(site, 25)) return
      this.writeInteger(site, 0)
      this.view.setBigUint64(this.cursor - 16, value, true)
    } else {
      if (!this.#placeTagged(site, properties)) return
      this.writeTaggedInteger(site, 0, properties)
      this.view.setBigUint64(this.cursor - 16, value, true)
    }
  }

  #place(site: MetricSite, size: number): boolean {
    if (!this.prepare(size)) return false
    this.#listSite(site)
    return true
  }

  #placeTagged(site: MetricSite, properties: PropertySet): boolean {
    if (!this.prepare(33)) return false
    this.#listSite(site)
    if (properties.metricsEpoch !== this.epoch) {
      properties.metricsIdBits = idBits(
        this.dependencies.propertySet(PROPERTY_SET_INDEX, properties.metricEntries),
      )
      properties.metricsEpoch = this.epoch
    }
    return true
  }

  #listSite(site: MetricSite): void {
    if (site.epoch === this.epoch) return
    const strings = this.dependencies
    const references = [
      strings.string(site.name),
      strings.string(site.unit),
      strings.string(site.target),
      strings.string(''),
    ]
    site.idBits = idBits(strings.record(METADATA_INDEX, references, [0, LOD_MAX]))
    site.epoch = this.epoch
  }
}
