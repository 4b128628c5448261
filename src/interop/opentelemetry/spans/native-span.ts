import { type Attributes, type SpanStatus, SpanStatusCode } from '@opentelemetry/api'
import { Level } from '../../../model/level.ts'
import type { OpenSpan } from '../../../tracing/spans/open-span.ts'
import type { Properties } from '../../../tracing/values/property-set.ts'
import { validAttributes } from '../attributes.ts'
import { countUnreadable, MicromegasSpan, statusMessageOf } from './micromegas-span.ts'

/** The view that OpenTelemetry's API has of a span of our own, begun by `asyncSpan` and its like, which also end it. */
export class NativeSpan extends MicromegasSpan {
  override isRecording(): boolean {
    return true
  }

  override setAttribute(key: string, value: Attributes[string]): this {
    return this.setAttributes({ [key]: value })
  }

  /** They are properties of the span. */
  override setAttributes(attributes: Attributes): this {
    countUnreadable(() => (this.open as OpenSpan).set?.(validAttributes(attributes, false)))
    return this
  }

  override addLinks(): this {
    return this
  }

  override setStatus(status: SpanStatus): this {
    countUnreadable(() => {
      if (status?.code !== SpanStatusCode.ERROR) return
      const message = statusMessageOf(status.message)
      ;(this.open as OpenSpan).set?.({ 'otel.status_code': 'ERROR', 'otel.status_description': message })
      this.log(Level.Warn, `${this.open.record.name}: ${message || 'failed'}`, {})
    })
    return this
  }

  override updateName(name: string): this {
    const open = this.open as OpenSpan
    open.rename?.(name)
    return this
  }

  override end(): void {}

  protected override attributesForEvents(): Properties {
    return {}
  }

  protected override takes(): boolean {
    return true
  }
}
