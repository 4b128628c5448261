import { type SpanStatus, SpanStatusCode } from '@opentelemetry/api'
import { Level } from '../../../model/level.ts'
import type { Properties } from '../../../tracing/values/property-set.ts'
import { countUnreadable, MicromegasSpan, statusMessageOf } from './micromegas-span.ts'

/** The view that OpenTelemetry's API has of a span of our own, begun by `asyncSpan` and its like, which also end it. */
export class NativeSpan extends MicromegasSpan {
  override isRecording(): boolean {
    return true
  }

  /** Nothing takes them: our spans have no attributes. */
  override setAttribute(): this {
    return this
  }

  override setAttributes(): this {
    return this
  }

  override addLinks(): this {
    return this
  }

  override setStatus(status: SpanStatus): this {
    countUnreadable(() => {
      if (status?.code !== SpanStatusCode.ERROR) return
      this.log(Level.Warn, `${this.open.record.name}: ${statusMessageOf(status.message) || 'failed'}`, {})
    })
    return this
  }

  override updateName(): this {
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
